// A probability as people read it. What is not certain is never shown as 100%, and what was found never as 0%.
function percentOf({ score }) {
  if (score == null) return "";
  const percent = score * 100;
  if (percent < 0.5) return "<1%";
  // Rounded down to a tenth where rounding would say 100%.
  return percent < 99.5 ? `${Math.round(percent)}%` : `${Math.floor(percent * 10) / 10}%`;
}
