"""What is said about recipes."""

MESSAGES: dict[str, tuple[str, str]] = {
    "recipe.missing": ("There is no recipe at {file}.", "{file} 处没有配方文件。"),
    "recipe.missing.hint": (
        "Check the path (recipes there: {nearby}), or make one with `tuneloop init --data FILE`.",
        "请检查路径（该处的配方：{nearby}），或用 tuneloop init --data 文件 生成一个。",
    ),
    "recipe.yaml": ("The recipe is not valid YAML: {problem}.", "配方不是有效的 YAML：{problem}。"),
    "recipe.yaml.hint": (
        "Check the indentation, the colons and the quotes at that line.",
        "请检查该行的缩进、冒号和引号。",
    ),
    "recipe.unknown_key": ("The recipe has no key {key}.", "配方中没有 {key} 这个键。"),
    "recipe.unknown_key.hint": (
        "Did you mean {near}? Allowed here: {known}.",
        "是否想写 {near}？此处允许：{known}。",
    ),
    "recipe.key_missing": ("The recipe lacks {key}.", "配方缺少 {key}。"),
    "recipe.key_missing.hint": (
        "A complete recipe is `name` and one source: `data: {{sources: [{{path: faq.xlsx}}]}}`.",
        "完整的配方至少要有 name 和一个数据源：data: {{sources: [{{path: faq.xlsx}}]}}。",
    ),
    "recipe.value": ("{key} is {value}, which is not allowed.", "{key} 的值 {value} 不被允许。"),
    "recipe.value.hint": (
        "{allowed}. `tuneloop recipe schema` lists every key and its values.",
        "{allowed}。tuneloop recipe schema 会列出所有键和取值。",
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
