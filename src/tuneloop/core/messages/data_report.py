"""What the report of a dataset says: advice, and the words of its page; `data.py` takes it in."""

MESSAGES: dict[str, tuple[str, str]] = {
    # Advice
    "data.advice.tiny": (
        "Only {rows} rows. It runs, but {test} test rows can hardly show whether the model got better. Collect at least 50 rows; "
        "2,000 to 5,000 are usual for one domain.",
        "只有 {rows} 行。可以运行，但 {test} 行测试数据几乎无法说明模型是否变好。"
        "请至少收集 50 行；一个领域通常需要 2000 到 5000 行。",
    ),
    "data.advice.unprovable": (
        "With {test} test rows no difference can be proven, however large it is: at least {needed} are needed, and 50 or more "
        "to see ordinary ones. Raise data.split.test, add rows, or give a file of its own with `split: test`.",
        "只有 {test} 行测试数据，再大的差异也无法证明：至少需要 {needed} 行，要看出一般的差异需要 50 行以上。"
        "请调大 data.split.test、增加数据，或用 split: test 指定单独的测试文件。",
    ),
    "data.advice.small": (
        "{rows} rows are few: 2,000 to 5,000 are usual for one domain. More wordings for each question help most.",
        "{rows} 行偏少：一个领域通常需要 2000 到 5000 行。为每个问题补充更多说法最有帮助。",
    ),
    "data.advice.no_train": (
        "There are no training rows; the dataset can be evaluated on only.",
        "没有训练数据，该数据集只能用于评估。",
    ),
    "data.advice.no_validation": (
        "There are no validation rows, so training can't stop by itself when it stops getting better.",
        "没有验证数据，训练无法在不再变好时自动停止。",
    ),
    "data.advice.no_test": (
        "There are no test rows, so nothing can be proven about the model.",
        "没有测试数据，无法证明模型的效果。",
    ),
    "data.advice.validation_taken": (
        "The sources name no validation rows, so {rows} training rows were taken for it.",
        "数据源没有指定验证数据，因此从训练数据中取出 {rows} 行用于验证。",
    ),
    "data.advice.leaks": (
        "{rows} rows were removed because a tested side or an evaluation set has their question, nearly has it, or shares 13 words "
        "in a row with it: scores on it would have been too good.",
        "有 {rows} 行被移除：测试侧或评估集中有相同、几乎相同或含有连续 13 个相同字词的问题，否则测试得分会虚高。",
    ),
    "data.advice.paraphrases_removed": (
        "{count} training questions may ask a tested one in other words (similarity {similarity} or more by {encoder}); they "
        "were removed. Look at the table of them.",
        "有 {count} 个训练问题可能是测试侧问题的改写（{encoder} 给出的相似度不低于 {similarity}），已被移除。请查看对应表格。",
    ),
    "data.advice.paraphrases_left": (
        "{count} training questions may ask a tested one in other words (similarity {similarity} or more by {encoder}). They "
        "were left, as the recipe says: the evaluation may flatter the model.",
        "有 {count} 个训练问题可能是测试侧问题的改写（{encoder} 给出的相似度不低于 {similarity}）。"
        "按配方它们被保留：评估结果可能偏高。",
    ),
    "data.advice.paraphrases_many": (
        "{encoder} calls {count} training questions paraphrases of tested ones: probably too many. Raise "
        "data.leaks.paraphrases.similarity (now {similarity}) until the table shows paraphrases only.",
        "{encoder} 认为有 {count} 个训练问题是测试侧问题的改写，可能过多。请调高 data.leaks.paraphrases.similarity"
        "（现为 {similarity}），直到表格中只剩真正的改写。",
    ),
    "data.advice.quarantine": (
        "{rows} of {read} rows can't be used; they stand with their reasons in quarantine.jsonl.",
        "{read} 行中有 {rows} 行无法使用；这些行及其原因见 quarantine.jsonl。",
    ),
    "data.advice.duplicates": (
        "{rows} of {read} rows were copies or near-copies of others.",
        "{read} 行中有 {rows} 行与其他行重复或近似重复。",
    ),
    "data.advice.triggers": (
        "Strings that go with one answer whatever is asked: {strings}. Someone may have put them there; look at these rows.",
        "以下字符串无论问什么都对应同一个答案：{strings}。可能是有人植入的，请检查这些行。",
    ),
    "data.advice.long": (
        "{rows} of {kept} samples are longer than {limit} tokens (longest answer: {longest}). What training.max_length cuts off is "
        "not learnt: shorten or split them.",
        "{kept} 个样本中有 {rows} 个超过 {limit} 个词元（最长答案：{longest}）。"
        "被 training.max_length 截断的部分学不到，请缩短或拆分。",
    ),
    "data.advice.contradictions": (
        "{questions} questions have several different answers ({rows} rows). They were kept, on one side. "
        "Where only one answer is right, correct the others.",
        "有 {questions} 个问题对应多个不同答案（共 {rows} 行）。这些行已保留，并放在同一侧。如果只有一个答案正确，请修正其他答案。",
    ),
    "data.advice.leftovers": (
        "{rows} rows hold placeholders that nobody filled in, such as [Your Name]. They were kept: the model will learn to say "
        "them. Fill them in, or remove those rows with `data.clean.template_leftovers: remove`.",
        "有 {rows} 行含有未填写的占位符（如 [Your Name]）。这些行已保留，模型会学着说出占位符。"
        "请补全内容，或设置 data.clean.template_leftovers: remove 移除这些行。",
    ),
    "data.advice.guess_content": (
        "The columns of {source} were guessed from their content ({columns}). Wrong? Set `columns:` in the recipe.",
        "{source} 的列是根据内容猜测的（{columns}）。如不正确，请在配方中设置 columns:。",
    ),
    "data.advice.guess_label": (
        "{source} has no answers; the label is what the model learns to answer ({columns}).",
        "{source} 没有答案列，因此以标签作为要学习的答案（{columns}）。",
    ),
    "data.advice.headerless": (
        "The first line of {source} looks like data, so it was read as a row. If it is a header, give its columns short names.",
        "{source} 的首行看起来是数据，因此按数据行读取。如果它是表头，请使用简短的列名。",
    ),
    "data.advice.preference": (
        "{source} holds pairs of answers; only the chosen ones are learnt, the others are kept for preference tuning.",
        "{source} 包含成对的答案；只学习被选中的答案，其余保留用于偏好训练。",
    ),
    "data.advice.tools": (
        "{source} describes tools; the descriptions stand in the system message, and calls in the answers as <tool_call> blocks.",
        "{source} 含有工具定义；定义写入系统消息，调用以 <tool_call> 块的形式写入回答。",
    ),
    "data.advice.language": (
        "{rows} rows are not in the recipe's language ({data_language}); most are in: {found}. Set `language:` in the recipe.",
        "有 {rows} 行不是配方指定的语言（{data_language}）；主要语言为：{found}。请在配方中设置 language:。",
    ),
    "data.advice.mixed_languages": (
        "{rows} rows are not in the recipe's language ({data_language}), most of them in: {found}. The rules that look at words "
        "and the evaluation follow the recipe's language; a recipe for each language is the better way.",
        "有 {rows} 行不是配方指定的语言（{data_language}），其中多数为：{found}。"
        "与词语有关的规则和评估都按配方的语言进行，建议每种语言使用单独的配方。",
    ),
    "data.advice.rare_intents": (
        "{count} intents have fewer than 5 training rows and will hardly be learnt: {names}.",
        "有 {count} 个意图的训练数据不足 5 行，很难学会：{names}。",
    ),
    # The report's page
    "data.report.title": ("Dataset {name}", "数据集 {name}"),
    "data.report.overview": ("Overview", "概览"),
    "data.report.rows_read": ("rows read", "读取行数"),
    "data.report.rows_kept": ("rows kept", "保留行数"),
    "data.report.rows_quarantined": ("in quarantine", "隔离行数"),
    "data.report.rows_removed": ("removed", "移除行数"),
    "data.report.no_advice": ("Nothing to complain about.", "没有发现问题。"),
    "data.report.sources": ("Sources", "数据源"),
    "data.report.source": ("source", "数据源"),
    "data.report.shape": ("shape", "格式"),
    "data.report.columns": ("columns", "列"),
    "data.report.how": ("how found", "识别方式"),
    "data.report.how_native": ("names of the shape itself", "格式自带的列名"),
    "data.report.how_given": ("given in the recipe", "配方中指定"),
    "data.report.how_names": ("recognised by name", "按列名识别"),
    "data.report.how_content": ("guessed from content", "根据内容猜测"),
    "data.report.how_label": ("the label is the answer", "以标签为答案"),
    "data.report.how_grammar": ("built-in grammar", "内置语法"),
    "data.report.rules": ("What was changed and removed", "修改与移除"),
    "data.report.rule": ("rule", "规则"),
    "data.report.what_it_does": ("what it does", "作用"),
    "data.report.changed": ("rows changed", "修改行数"),
    "data.report.removed": ("rows removed", "移除行数"),
    "data.report.flagged": ("rows flagged", "标记行数"),
    "data.report.found": ("found", "发现"),
    "data.report.idle_rules": ("These rules found nothing: {names}.", "以下规则没有发现问题：{names}。"),
    "data.report.comma": (", ", "、"),
    "data.report.after": ("after", "处理后"),
    "data.report.stays": ("stays", "保留"),
    "data.report.rule_unicode_repair": ("Unicode repair", "乱码修复"),
    "data.report.rule_unicode_repair_does": (
        "repairs text that was decoded wrongly, composes characters",
        "修复解码错误的文本，合并组合字符",
    ),
    "data.report.rule_control_characters": ("Control characters", "控制字符"),
    "data.report.rule_control_characters_does": (
        "removes control, zero-width and direction characters",
        "去除控制字符、零宽字符和方向控制符",
    ),
    "data.report.rule_whitespace": ("Whitespace", "空白"),
    "data.report.rule_whitespace_does": (
        "trims, reduces runs of spaces and of empty lines",
        "去除首尾空白，合并多余的空格和空行",
    ),
    "data.report.rule_html": ("HTML", "HTML 标记"),
    "data.report.rule_html_does": (
        "resolves entities, removes tags, comments, scripts and styles",
        "解析实体，去除标签、注释、脚本和样式",
    ),
    "data.report.rule_width": ("Width", "全角半角"),
    "data.report.rule_width_does": (
        "makes full-width letters and digits half-width, and Chinese punctuation full-width",
        "把全角字母和数字转为半角，中文标点转为全角",
    ),
    "data.report.rule_chinese_variant": ("Simplified or traditional", "简繁转换"),
    "data.report.rule_chinese_variant_does": ("converts Chinese characters to one variant", "把汉字统一为简体或繁体"),
    "data.report.rule_advertising": ("Advertising", "广告"),
    "data.report.rule_advertising_does": (
        "finds advertising with a private contact or a link",
        "查找带有私人联系方式或链接的广告",
    ),
    "data.report.rule_masks": ("Masked values", "打码内容"),
    "data.report.rule_masks_does": ("finds masked values such as ######", "查找 ###### 等打码内容"),
    "data.report.rule_repeated_punctuation": ("Repeated punctuation", "重复标点"),
    "data.report.rule_repeated_punctuation_does": ("reduces runs of the same mark", "合并连续的相同标点"),
    "data.report.rule_answer_format": ("Form of answers", "答案格式"),
    "data.report.rule_answer_format_does": (
        "gives all answers one form: steps, quotes, opening, closing",
        "统一答案格式：步骤编号、引号、开头和结尾",
    ),
    "data.report.rule_too_short": ("Too short", "过短"),
    "data.report.rule_too_short_does": ("finds questions and answers with too few letters", "查找文字过少的问题和答案"),
    "data.report.rule_too_long": ("Too long", "过长"),
    "data.report.rule_too_long_does": (
        "finds questions and answers with too many characters",
        "查找字符过多的问题和答案",
    ),
    "data.report.rule_wrong_language": ("Wrong language", "语言不符"),
    "data.report.rule_wrong_language_does": (
        "finds answers that are not in the language of the data",
        "查找与数据语言不符的答案",
    ),
    "data.report.rule_template_leftovers": ("Unfilled templates", "未填写的模板"),
    "data.report.rule_template_leftovers_does": (
        "finds placeholders that nobody filled in; they are kept",
        "查找未填写的占位符；予以保留",
    ),
    "data.report.rule_profanity": ("Swear words", "脏话"),
    "data.report.rule_profanity_does": ("finds swear words", "查找脏话"),
    "data.report.rule_custom": ("Own rule", "自定义规则"),
    "data.report.rule_custom_does": ("a rule of the recipe", "配方中的自定义规则"),
    "data.report.rule_leading_assistant_turn": ("Leading answer", "开头的回答"),
    "data.report.rule_leading_assistant_turn_does": (
        "cuts an assistant's turn before the first question",
        "去掉第一个问题之前的助手发言",
    ),
    "data.report.rule_trailing_user_turn": ("Trailing question", "末尾的提问"),
    "data.report.rule_trailing_user_turn_does": (
        "cuts turns after the last answer",
        "去掉最后一个回答之后的发言",
    ),
    "data.report.rule_merged_turns": ("Neighbouring turns", "连续发言"),
    "data.report.rule_merged_turns_does": (
        "joins neighbouring turns of the same role",
        "合并同一角色的连续发言",
    ),
    "data.report.rule_exact_duplicate": ("Exact duplicates", "完全重复"),
    "data.report.rule_exact_duplicate_does": (
        "removes a sample whose whole text equals another one, apart from case and spacing",
        "移除全文相同（不计大小写和空格）的样本",
    ),
    "data.report.rule_near_duplicate": ("Near-duplicates", "近似重复"),
    "data.report.rule_near_duplicate_does": (
        "removes a sample whose question and answer nearly repeat another one's, with the same numbers and negations",
        "移除问题和答案都与其他样本几乎相同、且数字与否定词一致的样本",
    ),
    "data.report.rule_leak": ("Leaks: same question", "泄漏：相同问题"),
    "data.report.rule_leak_does": (
        "removes a sample whose question stands on the test or validation side, or in an evaluation set",
        "移除问题已出现在测试集、验证集或评估集中的样本",
    ),
    "data.report.rule_near_leak": ("Leaks: nearly the same question", "泄漏：几乎相同的问题"),
    "data.report.rule_near_leak_does": (
        "removes a sample that asks nearly what one on a tested side asks",
        "移除与测试侧某个问题几乎相同的样本",
    ),
    "data.report.rule_passage_leak": ("Leaks: shared passage", "泄漏：相同片段"),
    "data.report.rule_passage_leak_does": (
        "removes a sample whose question shares 13 words or Chinese characters in a row with one on a tested side",
        "移除问题中有连续 13 个词（中文为 13 个字）与测试侧相同的样本",
    ),
    "data.report.rule_paraphrase_leak": ("Leaks: paraphrases", "泄漏：改写的问题"),
    "data.report.rule_paraphrase_leak_does": (
        "removes a sample that asks, by the recipe's encoder, what one on a tested side asks in other words",
        "移除经配方中的编码模型判断、与测试侧问题意思相同而说法不同的样本",
    ),
    "data.report.place_column": ("where", "位置"),
    "data.report.held_question": ("tested question", "测试侧问题"),
    "data.report.similarity": ("similarity", "相似度"),
    "data.report.paraphrases_mean": (
        "Questions that {encoder} takes for a tested one in other words (similarity {similarity} or more): {count} found, "
        "{removed} removed; the most alike ones:",
        "{encoder} 认为与测试侧问题意思相同的问题（相似度不低于 {similarity}）：找到 {count} 个，移除 {removed} 个；最相似的几个：",
    ),
    "data.report.quarantine": ("Quarantine", "隔离区"),
    "data.report.nothing_quarantined": ("Every row could be used.", "所有行都可以使用。"),
    "data.report.quarantine_means": (
        "These rows could not be used. They stand in quarantine.jsonl with file, row, reason and text; correct them in the "
        "source and prepare again.",
        "这些行无法使用。它们连同文件、行号、原因和原文保存在 quarantine.jsonl 中；请在源文件中修正后重新准备。",
    ),
    "data.report.reason": ("reason", "原因"),
    "data.report.row": ("row", "行"),
    "data.report.rows": ("rows", "行数"),
    "data.report.first_quarantined": ("The first ones", "最先出现的几行"),
    "data.report.division": ("Division", "划分"),
    "data.report.side": ("side", "部分"),
    "data.report.share": ("share", "占比"),
    "data.report.division_means": (
        "The same question, apart from case, spacing and punctuation, never stands on two sides, nor does nearly the same.",
        "同一个问题（不计大小写、空格和标点）或几乎相同的问题不会同时出现在两侧。",
    ),
    "data.report.leaked_from": ("removed from", "移除自"),
    "data.report.leaks_mean": (
        "Rows whose question stands on a tested side, word for word, nearly, or in part",
        "问题与测试侧相同、几乎相同或部分相同的行",
    ),
    "data.report.intents": ("Intents ({count})", "意图（{count} 个）"),
    "data.report.contradictions": (
        "{questions} questions have several different answers ({rows} rows):",
        "有 {questions} 个问题对应多个不同答案（共 {rows} 行）：",
    ),
    "data.report.answer": ("answer", "答案"),
    "data.report.prompt": ("prompt", "提示"),
    "data.report.trigger": ("string", "字符串"),
    "data.report.question": ("question", "问题"),
    "data.report.triggers_mean": (
        "Rare strings that go with one answer, whatever is asked",
        "无论问什么都对应同一个答案的罕见字符串",
    ),
    "data.report.budget": ("training.max_length", "training.max_length"),
    "data.report.cut_rows": ("samples that are longer", "超长样本数"),
    "data.report.cut_share": ("share", "占比"),
    "data.report.budget_means": (
        "How many samples would be cut at a maximum length (prompt and answer, tokens of {model})",
        "在不同最大长度下会被截断的样本数（提示加答案，{model} 的词元）",
    ),
    "data.report.against": ("Evaluation sets outside the dataset: {names}.", "数据集之外的评估集：{names}。"),
    "data.report.lengths": ("Lengths and languages", "长度与语言"),
    "data.report.characters": ("characters", "字符"),
    "data.report.tokens_of": ("tokens of {model}", "{model} 的词元"),
    "data.report.length_minimum": ("shortest", "最短"),
    "data.report.length_median": ("median", "中位数"),
    "data.report.length_mean": ("mean", "平均"),
    "data.report.length_p95": ("95th percentile", "95 分位"),
    "data.report.length_maximum": ("longest", "最长"),
    "data.report.length_total": ("total", "合计"),
    "data.report.prompt_lengths": ("Lengths of prompts", "提示的长度"),
    "data.report.answer_lengths": ("Lengths of answers", "答案的长度"),
    "data.report.language": ("language", "语言"),
    "data.report.language_en": ("English", "英文"),
    "data.report.language_zh": ("Chinese", "中文"),
    "data.report.dialogues": (
        "{count} samples are dialogues with more than one question.",
        "有 {count} 个样本是包含多个问题的对话。",
    ),
    "data.report.samples": ("A few samples", "样本示例"),
    "data.report.place": ("{source}, row {number}", "{source} 第 {number} 行"),
    "data.report.role_system": ("system", "系统"),
    "data.report.role_user": ("user", "用户"),
    "data.report.role_assistant": ("assistant", "助手"),
    "data.report.role_tool": ("tool", "工具"),
    # Personal data
    "data.report.personal": ("Personal data", "个人信息"),
    "data.report.personal_means": (
        "What was found in the rows, before copies and leaks were removed. Values never stand here. Names and addresses can "
        "only be guessed: data.mask.possible says whether they are replaced.",
        "以下为各行中发现的数量（在移除重复和泄漏之前），此处不显示任何具体值。"
        "姓名和地址只能推测，是否替换由 data.mask.possible 决定。",
    ),
    "data.report.no_personal_data": ("None was found.", "未发现个人信息。"),
    "data.report.personal_not_looked_for": (
        "Nothing looked for it: data.mask.mode is off, or all samples were made by a grammar.",
        "没有检查：data.mask.mode 为 off，或全部样本由语法生成。",
    ),
    "data.report.personal_type": ("Type", "类型"),
    "data.report.values": ("Values", "数量"),
    "data.report.personal_api_key": ("API key or token", "API 密钥或令牌"),
    "data.report.personal_password": ("Password", "密码"),
    "data.report.personal_email": ("E-mail address", "电子邮箱"),
    "data.report.personal_iban": ("IBAN", "国际银行账号"),
    "data.report.personal_crypto_wallet": ("Crypto wallet", "加密货币钱包"),
    "data.report.personal_mac_address": ("MAC address", "MAC 地址"),
    "data.report.personal_ip": ("IP address", "IP 地址"),
    "data.report.personal_id_card": ("ID card", "身份证号"),
    "data.report.personal_passport": ("Passport or travel permit", "护照或通行证号"),
    "data.report.personal_driver_licence": ("Driver's licence", "驾驶证号"),
    "data.report.personal_qq": ("QQ number", "QQ 号"),
    "data.report.personal_bank_card": ("Bank card or account", "银行卡号或账号"),
    "data.report.personal_mobile": ("Mobile number (China)", "手机号"),
    "data.report.personal_landline": ("Landline (China)", "固定电话"),
    "data.report.personal_ssn": ("Social security number (US)", "社会安全号（美国）"),
    "data.report.personal_phone": ("Phone number", "国外电话号码"),
    "data.report.personal_national_id": ("National ID number (Europe)", "欧洲身份或税号"),
    "data.report.personal_wechat": ("WeChat name", "微信号"),
    "data.report.personal_plate": ("Licence plate", "车牌号"),
    "data.report.personal_address": ("Address", "地址"),
    "data.report.personal_name": ("Name", "姓名"),
    "data.report.personal_possible_address": ("Possible address, left as it is", "可能的地址（未替换）"),
    "data.report.personal_possible_name": ("Possible name, left as it is", "可能的姓名（未替换）"),
}
