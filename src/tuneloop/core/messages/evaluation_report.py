"""What the evaluation area says about arms, figures and verdicts; `evaluation.py` takes it in."""

MESSAGES: dict[str, tuple[str, str]] = {
    # Errors
    "evaluation.no_test_rows": ("The test split {file} has no rows.", "测试集 {file} 中没有数据。"),
    "evaluation.no_test_rows.hint": (
        "Set data.split.test above 0, give a source `split: test`, or add rows; then prepare the data again.",
        "请将 data.split.test 设为大于 0，或为某个数据源设置 split: test，或补充数据，然后重新准备数据。",
    ),
    "evaluation.reference_empty": (
        "{count} test rows have no reference answer, the first one in row {row} of {file}.",
        "{count} 行测试数据没有参考答案，第一处在 {file} 第 {row} 行。",
    ),
    "evaluation.reference_empty.hint": (
        "Without a reference nothing can be scored: fill it in or remove the row, and prepare the data again.",
        "没有参考答案就无法评分：请补充答案或删除该行，然后重新准备数据。",
    ),
    "evaluation.leak": (
        "{count} test questions stand in the training split too, for example “{question}”.",
        "{count} 个测试问题同时出现在训练集中，例如“{question}”。",
    ),
    "evaluation.leak.hint": (
        "Answers that were trained on prove nothing. Divide the data again (data.split, group_by), or use --force: "
        "the evaluation is then marked.",
        "训练过的答案不能证明任何结论。请重新划分数据（data.split、group_by），或使用 --force：结果会被标记。",
    ),
    "evaluation.prompt_too_long": (
        "The prompt of test row {id} (“{question}”) has {tokens} tokens; the model's context holds {limit}.",
        "测试行 {id}（“{question}”）的提示有 {tokens} 个 token，而模型上下文只有 {limit}。",
    ),
    "evaluation.prompt_too_long.hint": (
        "Shorten the conversation or the system message, or choose a model with a longer context.",
        "请缩短对话或系统消息，或选用上下文更长的模型。",
    ),
    "evaluation.adapter_inactive": (
        "The adapter {file} changes nothing: the model says the same with and without it.",
        "适配器 {file} 没有起作用：加载前后模型的输出完全相同。",
    ),
    "evaluation.adapter_inactive.hint": (
        "Was it trained at all, and for this base model? Check its weights and training log, then train again.",
        "请确认它经过训练且对应此基础模型；检查权重与训练日志后重新训练。",
    ),
    "evaluation.headline_without_script": (
        "evaluation.headline is script_compliance, but there is no script.",
        "evaluation.headline 设为 script_compliance，但没有话术规范。",
    ),
    "evaluation.headline_without_script.hint": (
        "Set evaluation.script to a file or a built-in name, or choose another headline (auto, rouge_l, …).",
        "请将 evaluation.script 设为文件或内置名称，或选择其他主指标（auto、rouge_l 等）。",
    ),
    "evaluation.busy": ("The evaluation {id} is running in another process.", "评估 {id} 正在另一个进程中运行。"),
    "evaluation.busy.hint": ("Wait until it has finished, or stop it.", "请等待其完成，或先停止它。"),
    # Warnings
    "evaluation.warn_one_row": (
        "There is only one test row: nothing can be proven by it.",
        "只有一行测试数据：无法证明任何结论。",
    ),
    "evaluation.warn_leak": (
        "MARKED: {count} test questions stand in the training split too; the figures are too good (forced).",
        "已标记：{count} 个测试问题同时出现在训练集中，结果偏高（强制执行）。",
    ),
    "evaluation.warn_arm_left_out": (
        "{arm} was left out: its prompts (up to {tokens} tokens) do not fit the model's context of {limit}.",
        "已略去“{arm}”：其提示（最长 {tokens} 个 token）超出模型 {limit} 的上下文。",
    ),
    "evaluation.warn_answers_cut": (
        "{arm}: {count} of {rows} answers did not end by themselves.",
        "{arm}：{rows} 个回答中有 {count} 个没有自行结束。",
    ),
    "evaluation.warn_empty_answers": (
        "{arm}: {count} of {rows} answers are empty.",
        "{arm}：{rows} 个回答中有 {count} 个为空。",
    ),
    # Progress
    "evaluation.unit_answers": ("answers", "条回答"),
    "evaluation.unit_arms": ("arms", "个对照组"),
    "evaluation.unit_tokens": ("tokens/s", "token/秒"),
    "evaluation.answering": ("answering: {arm}", "生成回答：{arm}"),
    "evaluation.scoring": ("scoring", "评分"),
    "evaluation.reused": ("{arm}: {count} answers from earlier evaluations", "{arm}：沿用此前评估的 {count} 条回答"),
    # Names
    "evaluation.arm.base": ("base", "基础模型"),
    "evaluation.arm.base+script": ("base + script", "基础模型+话术"),
    "evaluation.arm.tuned": ("tuned", "微调后"),
    "evaluation.metric.script_compliance": ("script compliance", "话术合规率"),
    "evaluation.metric.exact_match": ("exact match", "完全一致率"),
    "evaluation.metric.token_f1": ("token F1", "词 F1"),
    "evaluation.metric.rouge_l": ("ROUGE-L", "ROUGE-L"),
    "evaluation.metric.bleu": ("BLEU", "BLEU"),
    "evaluation.metric.ended": ("ended by itself", "自行结束"),
    "evaluation.metric.answer_tokens": ("answer length (tokens)", "回答长度（token）"),
    "evaluation.slice.all": ("all rows", "全部"),
    "evaluation.slice.seen": ("seen intents", "训练中见过的意图"),
    "evaluation.slice.unseen": ("unseen intents", "未见过的意图"),
    "evaluation.slice.single-turn": ("single-turn", "单轮"),
    "evaluation.slice.multi-turn": ("multi-turn", "多轮"),
    "evaluation.slice.intent": ("intent: {value}", "意图：{value}"),
    "evaluation.slice.kind": ("kind: {value}", "类型：{value}"),
    "evaluation.slice.language": ("language: {value}", "语言：{value}"),
    "evaluation.points": ("{value} points", "{value} 个百分点"),
    # Verdict
    "evaluation.verdict.better": (
        "Better: on {rows} test rows the tuned model reaches {metric} {value}.",
        "更好：在 {rows} 行测试数据上，微调后模型的{metric}为 {value}。",
    ),
    "evaluation.verdict.worse": (
        "Worse: on {rows} test rows the tuned model reaches {metric} {value}.",
        "更差：在 {rows} 行测试数据上，微调后模型的{metric}为 {value}。",
    ),
    "evaluation.verdict.not_proven": (
        "Not proven: on {rows} test rows the tuned model reaches {metric} {value}.",
        "未能证明：在 {rows} 行测试数据上，微调后模型的{metric}为 {value}。",
    ),
    "evaluation.verdict.against": (
        "Against {baseline} ({value}) that is {difference} (95% interval {low} to {high}, p {p}).",
        "与{baseline}（{value}）相比为 {difference}（95% 区间 {low} 至 {high}，p {p}）。",
    ),
    "evaluation.verdict.chance": (
        "What was not proven could be chance: with so many rows a difference is found reliably (power 80%) from "
        "{effects} on; smaller ones need more test rows.",
        "未能证明的差异可能只是偶然：以这样的行数，达到 {effects}的差异才能可靠检出（功效 80%），更小的差异需要更多测试数据。",
    ),
    "evaluation.verdict.effect": ("{effect} (against {baseline})", "{effect}（对比{baseline}）"),
    "evaluation.verdict.no_adapter": (
        "No adapter was evaluated: there is nothing to prove on these {rows} test rows.",
        "没有评估任何适配器：这 {rows} 行测试数据上没有需要证明的结论。",
    ),
    # Tables and report
    "evaluation.table.metric": ("metric", "指标"),
    "evaluation.table.rule": ("rule", "规则"),
    "evaluation.table.slice": ("slice", "切片"),
    "evaluation.table.rows": ("rows", "行数"),
    "evaluation.table.comparison": ("comparison", "对比"),
    "evaluation.table.difference": ("difference", "差值"),
    "evaluation.table.p": ("p (corrected)", "p（已校正）"),
    "evaluation.table.detectable_against": (
        "smallest difference from {a} that so many rows show",
        "以这样的行数可检出的、与{a}的最小差异",
    ),
    "evaluation.table.versus": ("{b} against {a}", "{b} 对比 {a}"),
    "evaluation.table.hard": ("hard", "硬性"),
    "evaluation.table.soft": ("soft", "软性"),
    "evaluation.report.title": ("Evaluation of {name}", "{name} 的评估"),
    "evaluation.report.verdict": ("Verdict", "结论"),
    "evaluation.report.headline_plot": (
        "{metric} of each arm on the same {rows} rows, with 95% intervals",
        "各对照组在相同 {rows} 行上的{metric}，含 95% 区间",
    ),
    "evaluation.report.arms": ("Arms and metrics", "对照组与指标"),
    "evaluation.report.arms_caption": (
        "Mean over rows with its 95% interval; BLEU is that of the whole corpus.",
        "各行平均值及其 95% 区间；BLEU 为整个语料的值。",
    ),
    "evaluation.report.comparisons_caption": (
        "The headline and the other metrics are corrected for several comparisons apart (Holm). Intervals are not "
        "corrected. Smallest detectable: found in 80 of 100 evaluations of this size.",
        "主指标与其他指标分别做多重比较校正（Holm），区间未校正。最小可检出差异：同等规模的评估 100 次中能检出 80 次。",
    ),
    "evaluation.report.rules": ("Rules of the script", "话术规则"),
    "evaluation.report.rules_caption": (
        "Share of answers that keep each rule, among those it applies to.",
        "适用该规则的回答中遵守规则的比例。",
    ),
    "evaluation.report.slices": ("Slices", "切片"),
    "evaluation.report.slices_caption": (
        "{metric} by slice, with its 95% interval.",
        "各切片的{metric}及其 95% 区间。",
    ),
    "evaluation.report.training": ("Training", "训练过程"),
    "evaluation.report.training_alt": ("Training and validation loss by step", "训练与验证损失随步数的变化"),
    "evaluation.report.training_loss": ("training loss", "训练损失"),
    "evaluation.report.validation_loss": ("validation loss", "验证损失"),
    "evaluation.report.step": ("step", "步"),
    "evaluation.report.improved": ("Most improved answers", "改进最大的回答"),
    "evaluation.report.worsened": ("Most worsened answers", "退步最大的回答"),
    "evaluation.report.improved_count": (
        "{count} answers have a higher {metric} than those of {baseline}; {shown} of them:",
        "{count} 条回答的{metric}高于{baseline}，列出其中 {shown} 条：",
    ),
    "evaluation.report.worsened_count": (
        "{count} answers have a lower {metric} than those of {baseline}; {shown} of them:",
        "{count} 条回答的{metric}低于{baseline}，列出其中 {shown} 条：",
    ),
    "evaluation.report.role.user": ("user", "用户"),
    "evaluation.report.role.assistant": ("assistant", "助手"),
    "evaluation.report.role.tool": ("tool", "工具"),
    "evaluation.report.question": ("Question", "问题"),
    "evaluation.report.reference": ("Reference", "参考答案"),
    "evaluation.report.answer": ("{arm} · {metric} {value}", "{arm} · {metric} {value}"),
    "evaluation.report.empty_answer": ("(empty)", "（空）"),
    "evaluation.report.times": ("Speed", "速度"),
    "evaluation.report.times_caption": (
        "Answers are made in batches: the first token waits for the prompts of the whole batch, which is no measure of "
        "serving latency.",
        "回答为批量生成：首 token 要等整批提示处理完，不代表线上延迟。",
    ),
    "evaluation.report.seconds": ("seconds", "秒"),
    "evaluation.report.generated": ("answers made", "新生成"),
    "evaluation.report.reused": ("answers reused", "沿用"),
    "evaluation.report.first_token": ("first token p50 / p95 (ms)", "首 token p50 / p95（毫秒）"),
    "evaluation.report.repeat": ("How to repeat this", "如何复现"),
    "evaluation.report.origin.dataset": ("dataset", "数据集"),
    "evaluation.report.origin.dataset_sha256": ("dataset hash", "数据集哈希"),
    "evaluation.report.origin.model": ("base model", "基础模型"),
    "evaluation.report.origin.model_sha256": ("base model hash", "基础模型哈希"),
    "evaluation.report.origin.template_sha256": ("chat template hash", "对话模板哈希"),
    "evaluation.report.origin.adapter_sha256": ("adapter hash", "适配器哈希"),
    "evaluation.report.origin.script": ("script", "话术规范"),
    "evaluation.report.origin.script_sha256": ("script hash", "话术规范哈希"),
    "evaluation.report.origin.seed": ("seed", "随机种子"),
    "evaluation.report.origin.device": ("device", "设备"),
    "evaluation.report.origin.dtype": ("compute type", "计算类型"),
    "evaluation.report.origin.max_new_tokens": ("longest answer (tokens)", "最长回答（token）"),
    "evaluation.report.origin.temperature": ("temperature (0: greedy)", "温度（0 为贪心解码）"),
    "evaluation.report.origin.rows": ("test rows, scored of all", "测试行（评分／全部）"),
    "evaluation.report.origin.versions": ("versions", "版本"),
    "evaluation.report.origin.signature": ("signature of {metric}", "{metric} 的签名"),
}
