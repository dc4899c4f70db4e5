"""What errors of checkpoints and of the trainer say in Chinese; see `webui.wording.errors`."""

from typing import Final

EXPECTED_OF_MODELS: Final[dict[str, str]] = {
    # Checkpoints
    "a JSON object in {}": "{} 中是一个 JSON 对象",
    "JSON in {}": "{} 中是 JSON",
    "format_version {}": "格式版本 {}",
    "a tagger": "识别模型",
    "one linear classifier on the encoder": "编码器上有一个线性分类层",
    "a checkpoint with {}": "模型目录中有 {}",
    "a checkpoint in {}": "{} 中有模型",
    "a tagger's settings in {}": "{} 中有识别模型的设置",
    "weights in {}": "{} 中有权重",
    "undamaged weights in {}": "{} 中的权重完好",
    "finite weights in {}": "{} 中的权重都是有限的数",
    "the weights that {} describes": "{} 所描述的权重",
    "a checkpoint directory or a Hub id such as hfl/chinese-bert-wwm-ext": (
        "模型目录，或 Hub 上的名称，例如 hfl/chinese-bert-wwm-ext"
    ),
    "a checkpoint directory or a reachable Hub id": "模型目录，或能访问到的 Hub 名称",
    "a Hugging Face model in {}": "{} 中有 Hugging Face 模型",
    "weights for the whole encoder, {} lacks {} of them, for example {}": (
        "编码器的权重齐全；{0} 缺少 {1} 个，例如 {2}"
    ),
    "token ids below {}, the size of the encoder's embedding table": (
        "token 编号小于编码器词表大小 {}"
    ),
    "vocab.txt or tokenizer.json": "vocab.txt 或 tokenizer.json",
    "a vocabulary with {}": "词表中有 {}",
    "a tokenizer with a vocabulary": "带词表的分词器",
    "whole numbers as token ids": "token 编号是整数",
    "single Chinese characters among the tokens": "词表中有单个汉字",
    "a stride from 1 to {}": "步长为 1 到 {}",
    "a device of {}": "设备为 {} 之一",
    "a CUDA device": "CUDA 显卡",
    "a positive batch size": "批大小为正数",
    "an encoder with {}": "编码器中有 {}",
    "a model with labels of project {} ({})": "模型有项目 {} 的标签（{}）",
    "models of different names": "各模型名称不同",
    # Training data
    "entities in {}": "{} 中有实体",
    "{} examples": "有{}数据",
    "{} for a source of --train ({})": "--train 的数据来源为 {}（{}）",
    "lines with {}": "每行都有 {}",
    "a database with one project, or DATABASE#PROJECT": (
        "数据库中只有一个项目，或写成 数据库#项目名"
    ),
    "a database with the project {}": "数据库中有项目 {}",
    "dev texts that are not trained on": "验证集的文本不在训练集中",
    "the run's labels {}": "本次训练的标签 {}",
    "a source without --map, whose labels become the run's": (
        "有一个不带 --map 的来源，由它决定本次训练的标签"
    ),
    "a dev source without --map": "验证集不带 --map",
    "a dev source with the run's labels {}": "验证集的标签与本次训练相同：{}",
    "--dev, or a source without --map to cut it off": "给出 --dev，或有不带 --map 的来源可切分",
    "a map for each of {} to labels of {}": "{} 中每个标签都对应到 {} 中的标签",
    "LABEL=A|B,LABEL=C,...": "标签=A|B,标签=C,…",
    "each label once": "每个标签只出现一次",
    "NAME=PATH with a name of {}": "名称=路径，名称为 {} 之一",
    # A training under way
    "a training that was interrupted": "有中断过的训练",
    "no other training": "没有别的训练",
    "no other run of the same output": "没有别的训练写入同一目录",
    "a complete training": "训练完成",
    "an output directory with a name": "输出目录有名称",
    "an output directory that does not exist yet": "输出目录尚不存在",
    "a state of version {}": "训练状态为版本 {}",
    "the settings of the unfinished run in {}": "与 {} 中未完成的训练设置相同",
    "the state of an unfinished run": "未完成的训练的状态",
    "to write {} to {}": "能把 {} 写入 {}",
    "a finite loss and gradient": "损失和梯度为有限的数",
    "--precision auto, fp32 or bf16 on {}": "在 {} 上 --precision 为 auto、fp32 或 bf16",
    "--precision auto or fp32 on this processor": "在此处理器上 --precision 为 auto 或 fp32",
    # What the lint asks of a model
    "an opinion on each of {} texts": "{} 条文本各有一个判断",
    "a probability for each of {} spans": "{} 个实体各有一个概率",
}

GOT_OF_MODELS: Final[dict[str, str]] = {
    "{}; a newer version of this program wrote it": "{}；由较新版本的程序写成",
    "{}; an encoder alone must be fine-tuned first (trainer.finetune --encoder)": (
        "{}；只有编码器时须先训练（trainer.finetune --encoder）"
    ),
    "none; --device cpu runs without": "没有；可用 --device cpu 运行",
    "NaN or infinity: {}": "非数或无穷大：{}",
    "no such file": "没有这个文件",
    "neither": "两者都没有",
    "another object": "别的对象",
    "something else": "别的",
    "none among {} (a byte-level vocabulary?)": "{} 个中没有（是按字节的词表吗？）",
    "{} (no such directory)": "{}（没有这个目录）",
    "{}: no such directory, and from the Hub: {}": "{}：没有这个目录；Hub 回答：{}",
    "none: name one by --checkpoint": "没有：请用 --checkpoint 指定",
    "{}: choose another --database or --checkpoint": "{}：请换一个 --database 或 --checkpoint",
    "{} from {} and from {}: rename a directory": "{} 同时来自 {} 和 {}：请重命名其中一个目录",
    "{} in the vocabulary (in {})": "词表中有 {}（{}）",
    "{} without (in {}); the model would learn that they hold no entity": (
        "{} 行没有（{}）；模型会误以为它们没有实体"
    ),
    "{}; scores on these say nothing, --allow-shared-texts takes them all the same": (
        "{}；在这些文本上的成绩没有意义；仍要使用请加 --allow-shared-texts"
    ),
    "{}; give another --output": "{}；请换一个 --output",
    "none; --labels names the set": "没有；请用 --labels 给出标签",
    "none ({}); of a database only accepted documents count": (
        "没有（{}）；数据库中只有已接受的文本算数"
    ),
    "a map for each; --labels names them too": "每个来源都带 --map；也可用 --labels 给出标签",
    "a map for each source": "每个来源都带 --map",
    "one for {}: where a map leaves a choice there is nothing to score against": (
        "{} 带了 --map：对应不唯一，无法评分"
    ),
    "{}; --map {}:{} says for which of the run's labels each of them may stand: A, A|B, or {} for"
    " none": "{0}；请用 --map {1}:{2} 说明各标签对应本次训练的哪些标签：A、A|B，或 {3} 表示都不是",
    "one at work": "有一个正在进行",
    "one at work in {}": "{} 中有一个正在进行",
    "one in {}": "{} 中有一个",
    "exit status {} ({})": "退出码 {}（{}）",
    "others ({}); {}": "别的（{}）；{}",
    "a damaged file: {}; {}": "文件已损坏：{}；{}",
    "{}; what was saved before is intact: make room, and the same command goes on from there": (
        "{}；之前保存的内容完好：腾出空间后，同一命令会从那里继续"
    ),
    "--restart begins anew": "--restart 会从头开始",
    "loss {} and gradient norm {}": "损失 {}，梯度范数 {}",
    "fp16: half precision is for graphics cards": "fp16：半精度只适用于显卡",
    "bf16: it has no instructions for it (on x86 it takes AVX-512)": (
        "bf16：它没有相应的指令（x86 上需要 AVX-512）"
    ),
}
