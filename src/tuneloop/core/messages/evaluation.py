"""What the evaluation area says: about scripts here, about arms, figures and verdicts in `evaluation_report.py`."""

from tuneloop.core.messages.evaluation_gate import MESSAGES as GATE_MESSAGES
from tuneloop.core.messages.evaluation_probes import MESSAGES as PROBE_MESSAGES
from tuneloop.core.messages.evaluation_report import MESSAGES as REPORT_MESSAGES

MESSAGES: dict[str, tuple[str, str]] = {
    "evaluation.script_missing": ("There is no script {script}.", "找不到话术规范 {script}。"),
    "evaluation.script_missing.hint": (
        "Give a file relative to the recipe, or one of the built-in scripts: {known}.",
        "请给出相对于配方的文件路径，或内置规范的名称：{known}。",
    ),
    "evaluation.script_invalid": (
        "The script {file} is wrong at {where}: {problem}",
        "话术规范 {file} 在 {where} 处有误：{problem}",
    ),
    "evaluation.script_invalid.hint": (
        "Correct the file; its fields are described by `tuneloop rules schema`.",
        "请修正该文件；各字段的说明见 `tuneloop rules schema`。",
    ),
    "evaluation.rule_kind": (
        "Rule {rule} of {file} is of the unknown kind {kind}.",
        "{file} 的规则 {rule} 使用了未知类型 {kind}。",
    ),
    "evaluation.rule_kind.hint": ("Allowed kinds: {known}.", "可用的类型：{known}。"),
    "evaluation.rule_field_missing": (
        "Rule {rule} of {file} lacks {field}.",
        "{file} 的规则 {rule} 缺少 {field}。",
    ),
    "evaluation.rule_field_missing.hint": (
        "A rule of the kind {kind} needs it: add it to the rule.",
        "{kind} 类型的规则必须有该字段，请补充。",
    ),
    "evaluation.rule_field_unknown": (
        "Rule {rule} of {file} has {field}, which the kind {kind} does not read.",
        "{file} 的规则 {rule} 含有 {kind} 类型不使用的字段 {field}。",
    ),
    "evaluation.rule_field_unknown.hint": (
        "Remove it, or choose another kind. This kind reads: {known}.",
        "请删除该字段或更换类型。该类型可用的字段：{known}。",
    ),
    "evaluation.rule_twice": ("The rule {rule} stands twice in {file}.", "{file} 中规则 {rule} 出现了两次。"),
    "evaluation.rule_twice.hint": ("Give each rule an id of its own.", "请为每条规则使用不同的 id。"),
    "evaluation.rule_pattern": (
        "Rule {rule} of {file} has a pattern that is no regular expression: {pattern} ({problem})",
        "{file} 的规则 {rule} 含有无效的正则表达式：{pattern}（{problem}）",
    ),
    "evaluation.rule_pattern.hint": (
        "Correct the pattern; write \\ before a character that is meant literally.",
        "请修正该表达式；按字面匹配的特殊字符前要加 \\。",
    ),
    "evaluation.rule_pattern_slow": (
        "Rule {rule} of {file} repeats a repeat, which may never end on some texts: {pattern}",
        "{file} 的规则 {rule} 含有嵌套重复，在某些文本上可能无法结束：{pattern}",
    ),
    "evaluation.rule_pattern_slow.hint": (
        "Write it without a repeat inside a repeat, for example (a|b)+ in place of (a+|b+)+.",
        "请改写为没有嵌套重复的形式，例如用 (a|b)+ 代替 (a+|b+)+。",
    ),
    "evaluation.rule_pattern_endless": (
        "The pattern of rule {rule} was stopped after {seconds:g} s of computing: {pattern}. The text begins “{text}”.",
        "规则 {rule} 的正则表达式计算超过 {seconds:g} 秒，已停止：{pattern}。文本开头为“{text}”。",
    ),
    "evaluation.rule_pattern_endless.hint": (
        "Write it without alternatives or repeats that match the same text in several ways; answers made so far are kept.",
        "请避免以多种方式匹配同一文本的重复或分支；已生成的回答会保留。",
    ),
    "evaluation.rule_starts_with": ("does not begin with “{text}”", "开头不是“{text}”"),
    "evaluation.rule_ends_with": ("does not end with “{text}”", "结尾不是“{text}”"),
    "evaluation.rule_point_missing": ("a required step is missing: “{text}”", "缺少必需的步骤要点：“{text}”"),
    "evaluation.rule_point_order": (
        "a required step stands in the wrong place: “{text}”",
        "步骤要点顺序有误：“{text}”",
    ),
    "evaluation.rule_notice_missing": ("the safety notice is missing: “{text}”", "缺少风险提示：“{text}”"),
    "evaluation.rule_slot_changed": ("{slot} “{value}” is not repeated exactly", "没有原样复述 {slot}“{value}”"),
    "evaluation.rule_invented_phone": ("a phone number nobody gave: “{text}”", "编造的电话号码：“{text}”"),
    "evaluation.rule_invented_url": ("a web address nobody gave: “{text}”", "编造的网址：“{text}”"),
    "evaluation.rule_invented_email": ("a mail address nobody gave: “{text}”", "编造的邮箱：“{text}”"),
    "evaluation.rule_invented_number": ("a number nobody gave: “{text}”", "编造的数字：“{text}”"),
    "evaluation.rule_invented_dosage": ("a dose nobody gave: “{text}”", "编造的用药剂量：“{text}”"),
    "evaluation.rule_language": (
        "only {share} of it is in the script's language",
        "规定语言的内容只占 {share}",
    ),
    "evaluation.rule_not_ended": ("was cut off before its end", "没有自行结束，被截断"),
    "evaluation.rule_asked_twice": ("asks again: “{text}”", "重复追问：“{text}”"),
    "evaluation.rule_invented_amount": ("an amount nobody gave: “{text}”", "编造的金额：“{text}”"),
    "evaluation.rule_forbidden": ("forbidden words: “{text}”", "出现禁用内容：“{text}”"),
    "evaluation.rule_only_after": (
        "“{text}” is reported before the customer confirmed it",
        "客户确认之前就报告“{text}”",
    ),
    "evaluation.rule_not_refused": ("the refusal is not said: “{text}”", "没有按规范拒绝：缺少“{text}”"),
    "evaluation.rule_not_asked": ("does not ask for what is missing: “{text}”", "没有追问缺少的信息：“{text}”"),
    "evaluation.rule_no_question": ("does not end in a question", "没有以问句结尾"),
    "evaluation.rule_too_many_words": ("{count} words, at most {limit} are allowed", "共 {count} 词，上限为 {limit}"),
    "evaluation.rule_too_few_words": ("{count} words, at least {limit} are needed", "共 {count} 词，至少需要 {limit}"),
    "evaluation.rule_too_many_characters": (
        "{count} characters, at most {limit} are allowed",
        "共 {count} 个字符，上限为 {limit}",
    ),
    "evaluation.rule_repeated": ("says the same {times} times: “{text}”", "同样的内容重复了 {times} 次：“{text}”"),
    "evaluation.prompt_role": ("You are a customer service assistant.", "你是一名客服助手。"),
    "evaluation.prompt_rules": ("Rules for every answer:", "每条回答都要遵守："),
    "evaluation.prompt_intents": (
        "Steps (replace {{…}} by the customer's values):",
        "各类请求的步骤（{{…}} 处填入客户给出的内容）：",
    ),
    "evaluation.prompt_starts_with": ("Begin with exactly: {text}", "开头一字不差：{text}"),
    "evaluation.prompt_ends_with": ("End with exactly: {text}", "结尾一字不差：{text}"),
    "evaluation.prompt_ordered_points": (
        "In between, give the steps of the customer's request (below), in order, one per line.",
        "中间按顺序写出下面列出的该请求的步骤，每步一行。",
    ),
    "evaluation.prompt_contains_if": (
        "Add before the end for {titles}: {text}",
        "对于{titles}，在结尾之前加上一行：{text}",
    ),
    "evaluation.prompt_slots_verbatim": (
        "Repeat digits, amounts, dates and names exactly as the customer wrote them.",
        "客户给出的数字、金额、日期和姓名要原样复述。",
    ),
    "evaluation.prompt_no_invented": (
        "Give no {text} that stand neither here nor in the customer's messages.",
        "不要给出此处和客户消息中都没有的{text}。",
    ),
    "evaluation.prompt_what_phone": ("phone numbers", "电话号码"),
    "evaluation.prompt_what_url": ("web addresses", "网址"),
    "evaluation.prompt_what_email": ("mail addresses", "邮箱"),
    "evaluation.prompt_what_number": ("numbers", "数字"),
    "evaluation.prompt_what_amount": ("amounts", "金额"),
    "evaluation.prompt_what_dosage": ("doses", "用药剂量"),
    "evaluation.prompt_language": ("Answer in English only.", "只用中文回答。"),
    "evaluation.prompt_asks_once": (
        "Never ask for something twice.",
        "同一问题不要重复追问。",
    ),
    "evaluation.prompt_refusal": ("Refuse ({name}): {text}", "遇到此类请求（{name}）要拒绝：{text}"),
    "evaluation.prompt_asks": (
        "If a value that the steps need is missing, answer with the first line and one question for it.",
        "如果步骤所需的信息缺失，只说开头，再用一个问句追问。",
    ),
    "evaluation.prompt_max_words": ("Use at most {limit} words.", "不超过 {limit} 个词。"),
    "evaluation.prompt_max_characters": ("Use at most {limit} characters.", "不超过 {limit} 个字。"),
    "evaluation.prompt_min_words": ("Use at least {limit} words.", "至少 {limit} 个词。"),
    **PROBE_MESSAGES,
    **REPORT_MESSAGES,
    **GATE_MESSAGES,
}
