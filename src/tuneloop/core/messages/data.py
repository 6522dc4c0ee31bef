"""What the data area says."""

MESSAGES: dict[str, tuple[str, str]] = {
    "data.grammar_missing": (
        "There is no built-in grammar {name} in the language {data_language}.",
        "没有名为 {name}、语言为 {data_language} 的内置语法。",
    ),
    "data.grammar_missing.hint": ("Built in are: {known}.", "内置的语法有：{known}。"),
    "data.grammar_invalid": ("The grammar {file} is wrong at {where}: {problem}", "语法文件 {file} 在 {where} 处有误：{problem}"),
    "data.grammar_invalid.hint": (
        "Correct the file; its fields are described in src/tuneloop/data/grammar_file.py.",
        "请修正该文件；各字段的说明见 src/tuneloop/data/grammar_file.py。",
    ),
    "data.grammar_slot_unknown": (
        "{where} of {file} uses the slot {{{slot}}}, which it can't have: {text}",
        "{file} 的 {where} 使用了不可用的槽位 {{{slot}}}：{text}",
    ),
    "data.grammar_slot_unknown.hint": (
        "Add it to `slots` of the grammar and of the intent, or take it out of the text. "
        "A clarifying wording leaves out the slot that it makes the assistant ask for.",
        "请把它加入语法和该意图的 slots，或从文本中去掉。clarify 的说法不能包含要追问的槽位。",
    ),
    "data.grammar_slot_missing": (
        "{where} of {file} does not always hold the slot {{{slot}}}: {text}",
        "{file} 的 {where} 并非总是包含槽位 {{{slot}}}：{text}",
    ),
    "data.grammar_slot_missing.hint": (
        "The answer repeats the value, so every version of the text must name it.",
        "回答会复述该值，因此每一种说法都必须包含它。",
    ),
    "data.grammar_wording_twice": (
        "The wording stands twice in {file}, in {first} and in {second}: {text}",
        "{file} 中的说法重复出现在 {first} 和 {second}：{text}",
    ),
    "data.grammar_wording_twice.hint": (
        "Remove one: a wording must not be in training and in test, or name two intents.",
        "请删除其中一个：同一说法不能既用于训练又用于测试，也不能对应两个意图。",
    ),
    "data.grammar_exhausted": (
        "{name} has not enough to say for so many rows: nothing new was found for {what}.",
        "{name} 的内容不足以生成这么多行：{what} 已没有新的说法。",
    ),
    "data.grammar_exhausted.hint": (
        "Ask for fewer rows, or add wordings and slot values to the grammar.",
        "请减少行数，或在语法中增加说法和槽位取值。",
    ),
}
