// A text is drawn in blocks, so that a change is laid out and painted in one of them and not in the whole text.
//
// A block ends at the end of a line wherever it can: then nobody sees where. Only a line that would fill the frame
// several times over is cut, behind a sentence; the block that goes on with it is marked.

// All in code points.
const ENOUGH_FOR_A_BLOCK = 200; // it takes whole lines up to here, and a sentence more of a line that is cut
const LONGEST_LINE = 1000; // a line up to here stays in one piece
const SENTENCE_ENDS = /[。！？；…!?;][”’」』）》"']*/g;

// Blocks {start, end, isContinuation} that are the text when put together; an empty text has none.
function cutIntoBlocks(offsets) {
  const blocks = [];
  let start = 0;
  while (start < offsets.numPoints) {
    const end = endOfBlock(offsets, start);
    blocks.push({ start, end, isContinuation: start > 0 && offsets.slice(start - 1, start) !== "\n" });
    start = end;
  }
  return blocks;
}

function endOfBlock(offsets, start) {
  let end = start;
  while (end < offsets.numPoints && end - start < ENOUGH_FOR_A_BLOCK) {
    const lineEnd = endOfLine(offsets, end);
    if (lineEnd - end > LONGEST_LINE) return end > start ? end : endOfPiece(offsets, start);
    end = lineEnd;
  }
  return end;
}

function endOfLine(offsets, point) {
  const unit = offsets.text.indexOf("\n", offsets.toUnit(point));
  return unit < 0 ? offsets.numPoints : offsets.toPoint(unit) + 1;
}

// Where a line that is too long may be cut: behind the last sentence that ends early enough, or anywhere but within what a
// reader sees as one character.
function endOfPiece(offsets, start) {
  const [from, to] = [start + ENOUGH_FOR_A_BLOCK, start + 2 * ENOUGH_FOR_A_BLOCK];
  const sentenceEnd = [...offsets.slice(from, to).matchAll(SENTENCE_ENDS)].at(-1);
  const end = sentenceEnd ? offsets.toPoint(offsets.toUnit(from) + sentenceEnd.index + sentenceEnd[0].length) : to;
  return offsets.nextGrapheme(end - 1);
}
