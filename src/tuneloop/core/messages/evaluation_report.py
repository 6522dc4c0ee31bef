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
    "evaluation.card.no_loss": ("not compared", "未作比较"),
    "evaluation.report.not_measured": ("not measured", "未测"),
    "evaluation.labels_few": (
        "{file} holds fewer than two labels ({labels}).",
        "{file} 中的标签少于两个（{labels}）。",
    ),
    "evaluation.labels_few.hint": (
        "Classification needs answers that are labels; name them under evaluation.labels if some are missing.",
        "分类任务的答案必须是标签；如有缺失，请在 evaluation.labels 中列出。",
    ),
    "evaluation.labels_many": (
        "{file} holds {count} different answers; a label set has at most {limit}.",
        "{file} 中有 {count} 种不同的答案，标签集最多 {limit} 个。",
    ),
    "evaluation.labels_many.hint": (
        "Are these free answers? Then set evaluation.task to answers, or name the labels under evaluation.labels.",
        "这些是自由回答吗？请将 evaluation.task 设为 answers，或在 evaluation.labels 中列出标签。",
    ),
    "evaluation.label_unknown": (
        "Row {row} of {file} has the answer {label!r}, which is no label.",
        "{file} 第 {row} 行的答案 {label!r} 不是标签。",
    ),
    "evaluation.label_unknown.hint": ("The labels are: {known}.", "标签为：{known}。"),
    "evaluation.options_missing": (
        "Row {row} of {file} (“{question}”) lists no options, or its answer {answer!r} is none of them.",
        "{file} 第 {row} 行（“{question}”）没有列出选项，或答案 {answer!r} 不在选项中。",
    ),
    "evaluation.options_missing.hint": (
        "Write each option on a line of its own (A. … B. …); the answer is a letter or the text of an option.",
        "每个选项单独一行（A. … B. …），答案为选项的字母或文字。",
    ),
    "evaluation.url_wrong": ("{url!r} is no address of an API with a model.", "{url!r} 不是带模型名的 API 地址。"),
    "evaluation.url_wrong.hint": (
        "Write it as https://host/v1#model, or name a registered adapter (name@v0003).",
        "请写作 https://host/v1#model，或写已登记的适配器（name@v0003）。",
    ),
    "evaluation.url_away": ("{url} does not answer: {problem}", "{url} 没有响应：{problem}"),
    "evaluation.url_away.hint": (
        "Answers so far are kept: run the same command again when the server is there.",
        "已得到的回答已保存：服务恢复后请再次运行同一命令。",
    ),
    "evaluation.url_refused": ("{url} refuses the key (HTTP {status}).", "{url} 拒绝了密钥（HTTP {status}）。"),
    "evaluation.url_refused.hint": (
        "Set the environment variable {key}; it is sent to https addresses and to this machine only.",
        "请设置环境变量 {key}；密钥只会发送到 https 地址或本机。",
    ),
    "evaluation.url_answer": (
        "{url} does not answer as a chat completion API: {answer}",
        "{url} 的返回不符合聊天补全 API：{answer}",
    ),
    "evaluation.url_answer.hint": (
        "The address usually ends in /v1, and the model stands after #.",
        "地址通常以 /v1 结尾，模型名写在 # 之后。",
    ),
    "evaluation.prompt_labels": (
        "Classify the message. Answer with exactly one of these labels and nothing else:\n{labels}",
        "对消息进行分类。只回答下列标签之一，不要写其他内容：\n{labels}",
    ),
    "evaluation.schema_wrong": ("{file} is no JSON schema: {problem}", "{file} 不是 JSON Schema：{problem}"),
    "evaluation.schema_wrong.hint": (
        "evaluation.json_schema names a file with a JSON schema, relative to the recipe.",
        "evaluation.json_schema 应为 JSON Schema 文件，路径相对于配方。",
    ),
    "evaluation.reference_no_record": (
        "Row {row} of {file} has the answer {answer!r}, which is no JSON object or list.",
        "{file} 第 {row} 行的答案 {answer!r} 不是 JSON 对象或列表。",
    ),
    "evaluation.reference_no_record.hint": (
        "For the task extraction every answer is JSON; for free answers set evaluation.task to answers.",
        "extraction 任务的每个答案都须为 JSON；自由回答请将 evaluation.task 设为 answers。",
    ),
    "evaluation.reference_breaks_schema": (
        "The answer in row {row} of {file} does not fit the JSON schema: {problem}",
        "{file} 第 {row} 行的答案不符合 JSON Schema：{problem}",
    ),
    "evaluation.reference_breaks_schema.hint": (
        "Correct the answer, or the schema that evaluation.json_schema names.",
        "请修正答案，或修正 evaluation.json_schema 所指的模式。",
    ),
    "evaluation.prompt_schema": (
        "Answer with JSON that fits this JSON schema and with nothing else:\n{schema}",
        "只用符合以下 JSON Schema 的 JSON 回答，不要写其他内容：\n{schema}",
    ),
    "evaluation.prompt_nearest": (
        "A similar question was answered like this.\nQuestion: {question}\nAnswer: {answer}",
        "一个相似的问题是这样回答的。\n问题：{question}\n回答：{answer}",
    ),
    "evaluation.headline_not_of_task": (
        "evaluation.headline is {headline}, which the task {task} does not have.",
        "evaluation.headline 设为 {headline}，但任务 {task} 没有该指标。",
    ),
    "evaluation.headline_not_of_task.hint": (
        "Choose auto, or one that it has: accuracy (and macro_f1) of labels, the others of free answers.",
        "请选择 auto，或该任务具有的指标：标签任务为 accuracy（及 macro_f1），自由回答为其余指标。",
    ),
    "evaluation.compare_nothing": (
        "{file} and {other} have no row in common.",
        "{file} 与 {other} 没有共同的数据行。",
    ),
    "evaluation.compare_nothing.hint": (
        "Compare evaluations of the same dataset, or evaluate both adapters on one file.",
        "请比较同一数据集上的评估，或用同一文件评估两个适配器。",
    ),
    "evaluation.compare_differs": (
        "Row {id} has another reference in {file} than in {other}.",
        "行 {id} 的参考答案在 {file} 与 {other} 中不同。",
    ),
    "evaluation.compare_differs.hint": (
        "The data changed in between: evaluate both adapters on the same dataset.",
        "数据在两次评估之间发生了变化：请在同一数据集上评估两个适配器。",
    ),
    "evaluation.busy": ("The evaluation {id} is running in another process.", "评估 {id} 正在另一个进程中运行。"),
    "evaluation.busy.hint": ("Wait until it has finished, or stop it.", "请等待其完成，或先停止它。"),
    # Learning curve
    "evaluation.curve_more": (
        "More data will help: {many} training rows are proven better than {few}.",
        "增加数据会有帮助：{many} 行训练数据的结果经证明优于 {few} 行。",
    ),
    "evaluation.curve_enough": (
        "More rows of the same kind will hardly help: the step from {few} to {many} is proven small.",
        "同类数据再增加帮助不大：从 {few} 行增至 {many} 行的提升经证明很小。",
    ),
    "evaluation.curve_unknown": (
        "Not proven: the step from {few} to {many} training rows may be chance; more test rows would tell.",
        "未能证明：从 {few} 行增至 {many} 行训练数据的变化可能是偶然，需要更多测试数据。",
    ),
    "evaluation.curve": ("Learning curve: {metric}", "学习曲线：{metric}"),
    "evaluation.curve_rows": ("training rows", "训练行数"),
    # Warnings
    "evaluation.warn_one_row": (
        "There is only one test row: nothing can be proven by it.",
        "只有一行测试数据：无法证明任何结论。",
    ),
    "evaluation.warn_no_replay": (
        "The adapter of “{arm}” was registered before answers were stored with it: that it is at work was proven, that it still "
        "answers as it did after its training could not be checked. A new training stores them.",
        "“{arm}”的适配器登记于保存回答样例之前：已证明它确实生效，但无法核对它是否仍与训练结束时回答一致。重新训练后会保存样例。",
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
    "evaluation.unit_canaries": ("canaries", "个埋入的秘密"),
    "evaluation.unit_arms": ("arms", "个对照组"),
    "evaluation.unit_tokens": ("tokens/s", "token/秒"),
    "evaluation.answering": ("answering: {arm}", "生成回答：{arm}"),
    "evaluation.reading": ("reading references: {arm}", "读取参考答案：{arm}"),
    "evaluation.scoring": ("scoring", "评分"),
    "evaluation.reused": ("{arm}: {count} answers from earlier evaluations", "{arm}：沿用此前评估的 {count} 条回答"),
    # Names
    "evaluation.arm.base": ("base", "基础模型"),
    "evaluation.arm.base+script": ("base + script", "基础模型+话术"),
    "evaluation.arm.base+labels": ("base + labels", "基础模型+标签"),
    "evaluation.arm.base+schema": ("base + schema", "基础模型+JSON Schema"),
    "evaluation.arm.base+nearest": ("base + nearest answer", "基础模型+最近似答案"),
    "evaluation.arm.tuned": ("tuned", "微调后"),
    "evaluation.arm.tuned+unmerged": ("tuned, adapter not merged", "微调后（适配器未合并）"),
    "evaluation.metric.script_compliance": ("script compliance", "话术合规率"),
    "evaluation.metric.exact_match": ("exact match", "完全一致率"),
    "evaluation.metric.token_f1": ("token F1", "词 F1"),
    "evaluation.metric.rouge_l": ("ROUGE-L", "ROUGE-L"),
    "evaluation.metric.rouge_1": ("ROUGE-1", "ROUGE-1"),
    "evaluation.metric.rouge_2": ("ROUGE-2", "ROUGE-2"),
    "evaluation.metric.bleu": ("BLEU", "BLEU"),
    "evaluation.metric.chrf": ("chrF", "chrF"),
    "evaluation.metric.fact_recall": ("fact recall", "事实召回率"),
    "evaluation.metric.grounded": ("no invented fact", "无编造事实"),
    "evaluation.metric.accuracy": ("accuracy", "准确率"),
    "evaluation.metric.similarity": ("similarity of meaning", "语义相似度"),
    "evaluation.metric.bert_score": ("token similarity (BERTScore F1)", "词元相似度（BERTScore F1）"),
    "evaluation.metric.field_f1": ("F1 of fields", "字段 F1"),
    "evaluation.metric.record_match": ("whole record right", "整条记录正确率"),
    "evaluation.metric.schema_valid": ("valid JSON", "JSON 有效率"),
    "evaluation.metric.macro_f1": ("macro F1", "宏平均 F1"),
    "evaluation.metric.perplexity": ("perplexity of the reference", "参考答案困惑度"),
    "evaluation.metric.repetition": ("repetition", "重复率"),
    "evaluation.metric.ended": ("ended by itself", "自行结束"),
    "evaluation.metric.answer_tokens": ("answer length (tokens)", "回答长度（token）"),
    "evaluation.carried.title": ("Carried over from earlier turns", "对前文信息的沿用"),
    "evaluation.carried.caption": (
        "What customers said and the reference repeats (slots, numbers, dates, addresses, Latin names): the share that the "
        "answers hold, by the turn that is answered, then by how long ago it was said last.",
        "客户说过、参考答案复述的信息（槽位、数字、日期、网址等联系方式、英文人名）在回答中保留的比例："
        "先按所回答的轮次，再按距客户上次提及的轮数。",
    ),
    "evaluation.carried.differences": (
        "Differences. What belongs to one conversation counts together; each p by itself, not corrected.",
        "差值。同一会话的信息合并计算；各 p 值未作多重校正。",
    ),
    "evaluation.carried.p": ("p value", "p 值"),
    "evaluation.carried.where": ("turn, or distance", "轮次或距离"),
    "evaluation.carried.values": ("values", "信息数"),
    "evaluation.carried.turn_one": ("turn {depth}", "第 {depth} 轮"),
    "evaluation.carried.turn_last": ("turn {depth} and later", "第 {depth} 轮及以后"),
    "evaluation.carried.ago_now": ("said in the question itself", "本轮提问中提到"),
    "evaluation.carried.ago_before": ("said one turn back", "上一轮提到"),
    "evaluation.carried.ago_one": ("said {depth} turns back", "{depth} 轮之前提到"),
    "evaluation.carried.ago_last": ("said {depth} or more turns back", "{depth} 轮及更早之前提到"),
    "evaluation.slice.all": ("all rows", "全部"),
    "evaluation.slice.seen": ("seen intents", "训练中见过的意图"),
    "evaluation.slice.unseen": ("unseen intents", "未见过的意图"),
    "evaluation.slice.single-turn": ("single-turn", "单轮"),
    "evaluation.slice.multi-turn": ("multi-turn", "多轮"),
    "evaluation.slice.intent": ("intent: {value}", "意图：{value}"),
    "evaluation.slice.noisy": ("noisy questions", "含错别字的提问"),
    "evaluation.slice.clean": ("clean questions", "无错别字的提问"),
    "evaluation.slice.turn": ("turn: {value}", "第 {value} 轮"),
    "evaluation.slice.short": ("short questions", "短提问"),
    "evaluation.slice.medium": ("questions of medium length", "中等长度的提问"),
    "evaluation.slice.long": ("long questions", "长提问"),
    "evaluation.slice.kind": ("kind: {value}", "类型：{value}"),
    "evaluation.slice.kind.answer": ("answer", "回答"),
    "evaluation.slice.kind.clarify": ("question back", "追问"),
    "evaluation.slice.kind.refusal": ("refusal", "拒绝"),
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
    "evaluation.check.evidence": ("test rows: {rows}", "{rows} 行测试数据"),
    "evaluation.check.evidence_short": (
        "test rows: {rows}. No difference can be proven, however large; at least {needed} are needed",
        "只有 {rows} 行测试数据：再大的差异也无法证明，至少需要 {needed} 行",
    ),
    "evaluation.check.evidence.fix": (
        "raise data.split.test or evaluation.max_rows, add rows, or give a file of its own with `split: test`; "
        "50 or more show ordinary differences",
        "请调大 data.split.test 或 evaluation.max_rows、增加数据，或用 split: test 指定单独的测试文件；"
        "50 行以上才能看出一般的差异",
    ),
    "evaluation.verdict.loss": (
        "Proven worse in another respect: {metric}, {difference} against {baseline} (95% interval {low} to {high}).",
        "其他方面已证明变差：{metric}，与{baseline}相比为 {difference}（95% 区间 {low} 至 {high}）。",
    ),
    "evaluation.verdict.too_few": (
        "No difference can be proven with {units} independent test rows, however large it is: at least {needed} are "
        "needed, and 50 or more to see ordinary ones. Add rows, raise data.split.test, or raise evaluation.max_rows.",
        "只有 {units} 行独立的测试数据，再大的差异也无法证明：至少需要 {needed} 行，要看出一般的差异需要 50 行以上。"
        "请增加数据，或调大 data.split.test、evaluation.max_rows。",
    ),
    "evaluation.verdict.effect": ("{effect} (against {baseline})", "{effect}（对比{baseline}）"),
    "evaluation.verdict.no_adapter": (
        "No adapter was evaluated: there is nothing to prove on these {rows} test rows.",
        "没有评估任何适配器：这 {rows} 行测试数据上没有需要证明的结论。",
    ),
    # Tables and report
    "evaluation.table.metric": ("metric", "指标"),
    "evaluation.table.rule": ("rule", "规则"),
    "evaluation.table.field": ("field", "字段"),
    "evaluation.table.slice": ("slice", "切片"),
    "evaluation.table.rows": ("rows", "行数"),
    "evaluation.table.comparison": ("comparison", "对比"),
    "evaluation.table.difference": ("difference", "差值"),
    "evaluation.table.reading": ("proven", "结论"),
    "evaluation.reading.better": ("better", "更好"),
    "evaluation.reading.worse": ("worse", "更差"),
    "evaluation.reading.not_proven": ("not proven", "未能证明"),
    "evaluation.table.p": ("p (corrected)", "p（已校正）"),
    "evaluation.table.detectable": ("smallest difference that so many rows show", "以这样的行数可检出的最小差异"),
    "evaluation.table.detectable_none": (
        "none, however large: at least {needed} independent rows are needed",
        "无论多大都无法检出：至少需要 {needed} 行独立数据",
    ),
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
    "evaluation.card.facts": ("Model and data", "模型与数据"),
    "evaluation.card.probes": ("Examinations", "专项检查"),
    "evaluation.card.probe": ("examination", "检查"),
    "evaluation.card.loss": ("loss against the baseline", "相对基准的损失"),
    "evaluation.card.limits": ("What this does not say", "本评估不能说明什么"),
    "evaluation.card.limit_rows": (
        "It rests on {rows} held-out rows of {data}; other questions, customers or times were not seen.",
        "只依据 {data} 的 {rows} 行留出数据，未涉及其他问题、客户或时期。",
    ),
    "evaluation.card.limit_effect": (
        "Against {arm}, true differences below {effect} can go unnoticed (power 80%).",
        "与{arm}相比，小于 {effect}的真实差异可能检不出（功效 80%）。",
    ),
    "evaluation.card.limit_unmeasured": ("Not measured: {names}.", "未测量：{names}。"),
    "evaluation.report.fields": ("Fields of the records", "记录的字段"),
    "evaluation.report.fields_caption": (
        "Share of rows with each field whose answer gives exactly its values.",
        "含该字段的行中，回答给出完全相同的值的比例。",
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
    "evaluation.report.data": ("Data", "数据"),
    "evaluation.report.data.rows_read": ("rows read", "读取行数"),
    "evaluation.report.data.rows_kept": ("rows kept", "保留行数"),
    "evaluation.report.data.rows_quarantined": ("rows set aside", "隔离行数"),
    "evaluation.report.data.train": ("training rows", "训练行数"),
    "evaluation.report.data.validation": ("validation rows", "验证行数"),
    "evaluation.report.data.test": ("test rows", "测试行数"),
    "evaluation.report.marked": (
        "Marked: what an answer says otherwise than the reference; in the reference, what the last arm left out.",
        "标记处：回答中与参考答案不同的内容；参考答案中标记的是最后一个对照组遗漏的内容。",
    ),
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
    "evaluation.report.origin.schema": ("JSON schema", "JSON Schema 文件"),
    "evaluation.report.origin.schema_sha256": ("JSON schema hash", "JSON Schema 哈希"),
    "evaluation.report.origin.encoder_sha256": ("encoder hash", "编码器哈希"),
    "evaluation.report.origin.harness_sha256": ("lm-eval tasks hash", "lm-eval 任务哈希"),
    "evaluation.report.origin.seed": ("seed", "随机种子"),
    "evaluation.report.origin.device": ("device", "设备"),
    "evaluation.report.origin.dtype": ("compute type", "计算类型"),
    "evaluation.report.origin.max_new_tokens": ("longest answer (tokens)", "最长回答（token）"),
    "evaluation.report.origin.temperature": ("temperature (0: greedy)", "温度（0 为贪心解码）"),
    "evaluation.report.origin.rows": ("test rows, scored of all", "测试行（评分／全部）"),
    "evaluation.report.origin.versions": ("versions", "版本"),
    "evaluation.report.origin.signature": ("signature of {metric}", "{metric} 的签名"),
}
