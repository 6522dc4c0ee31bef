"""What is said about recipes."""

MESSAGES: dict[str, tuple[str, str]] = {
    "recipe.missing": ("There is no recipe at {file}.", "{file} 处没有配方文件。"),
    "recipe.missing.hint": (
        "Check the path{nearby}, or make a recipe with `tuneloop init --data FILE`.",
        "请检查路径{nearby}，或用 tuneloop init --data 文件 生成一个配方。",
    ),
    "recipe.nearby": (" (recipes there: {names})", "（该处的配方：{names}）"),
    "recipe.yaml": ("The recipe is not valid YAML: {problem}.", "配方不是有效的 YAML：{problem}。"),
    "recipe.yaml.hint": (
        "Check the indentation, the colons and the quotes at that line.",
        "请检查该行的缩进、冒号和引号。",
    ),
    "recipe.unknown_key": ("The recipe has no key {key}.", "配方中没有 {key} 这个键。"),
    "recipe.unknown_key.hint": (
        "{near}Allowed here: {known}.",
        "{near}此处允许：{known}。",
    ),
    "recipe.near_key": ("Did you mean {near}? ", "是否想写 {near}？"),
    "recipe.key_missing": ("The recipe lacks {key}.", "配方缺少 {key}。"),
    "recipe.key_missing.hint": (
        "A complete recipe is `name` and one source: `data: {{sources: [{{path: faq.xlsx}}]}}`.",
        "完整的配方至少要有 name 和一个数据源：data: {{sources: [{{path: faq.xlsx}}]}}。",
    ),
    "recipe.value": ("{key} is {value}, which is not allowed.", "{key} 的值 {value} 不被允许。"),
    "recipe.value.hint": (
        "Allowed: {allowed}. `tuneloop recipe schema` lists every key and its values.",
        "允许的取值：{allowed}。tuneloop recipe schema 会列出所有键和取值。",
    ),
    # What is allowed, by what pydantic finds (core/wrong_values.py).
    "recipe.allowed.or": (", or ", "，或"),
    "recipe.allowed.near": (" (did you mean {near}?)", "（是否想写 {near}？）"),
    "recipe.allowed.whole_number": ("a whole number", "整数"),
    "recipe.allowed.number": ("a number", "数字"),
    "recipe.allowed.yes_or_no": ("true or false", "true 或 false"),
    "recipe.allowed.text": ("text (put it in quotes if it looks like a number)", "文本（像数字的文本请加引号）"),
    "recipe.allowed.longer_text": ("text of at least {min_length} characters", "至少 {min_length} 个字符的文本"),
    "recipe.allowed.pattern": ("text that matches {pattern}", "符合 {pattern} 的文本"),
    "recipe.allowed.name": (
        "1 to 64 letters, digits, dots, dashes and underscores (A-Z, a-z, 0-9), a letter or digit first",
        "1 到 64 个英文字母、数字、点、短横线或下划线，以字母或数字开头",
    ),
    "recipe.allowed.list": ("a list, such as [first, second]", "列表，如 [第一项, 第二项]"),
    "recipe.allowed.longer_list": ("a list of at least {min_length}", "至少 {min_length} 项的列表"),
    "recipe.allowed.shorter_list": ("a list of at most {max_length}", "至多 {max_length} 项的列表"),
    "recipe.allowed.section": (
        "a section of keys and values, such as {{key: value}}",
        "由键和值组成的一节，如 {{键: 值}}",
    ),
    "recipe.allowed.above": ("a number above {gt}", "大于 {gt} 的数"),
    "recipe.allowed.at_least": ("a number from {ge} on", "不小于 {ge} 的数"),
    "recipe.allowed.below": ("a number below {lt}", "小于 {lt} 的数"),
    "recipe.allowed.at_most": ("a number up to {le}", "不大于 {le} 的数"),
    "recipe.rule.source": (
        "either path or grammar, not both and not neither",
        "path 与 grammar 二者必选其一，且只能选一个",
    ),
    "recipe.rule.vault": (
        "vault: true only with mode pseudonym, which a vault reverses",
        "仅当 mode 为 pseudonym 时可用 vault: true（保险库用于还原假名）",
    ),
    "recipe.rule.shares": (
        "validation + test below 1.0, so that a share is left for training",
        "validation + test 小于 1.0，为训练留出数据",
    ),
    "recipe.rule.ctranslate2": (
        "backend ctranslate2 with the folders `there` and `back`",
        "backend 为 ctranslate2 时要给出 there 和 back 两个文件夹",
    ),
    "recipe.rule.openai": (
        "backend openai with an `endpoint` of base_url and model",
        "backend 为 openai 时要给出含 base_url 和 model 的 endpoint",
    ),
    "recipe.rule.paraphraser": (
        "paraphrase with a `paraphraser` of base_url and model",
        "使用 paraphrase 时要给出含 base_url 和 model 的 paraphraser",
    ),
    "recipe.override": ("The setting {value!r} can't be applied.", "设置 {value!r} 无法应用。"),
    "recipe.override.hint": (
        "Write it as section.field=value, for example --set training.learning_rate=2e-4.",
        "请写成 section.field=value，例如 --set training.learning_rate=2e-4。",
    ),
    "recipe.environment": (
        "The recipe uses ${{{name}}}, and the environment has no {name}.",
        "配方用到 ${{{name}}}，但环境变量 {name} 不存在。",
    ),
    "recipe.environment.hint": (
        "Set it first: export {name}=…",
        "请先设置：export {name}=…",
    ),
}
