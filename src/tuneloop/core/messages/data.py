"""What the data area says: grammars, columns, rows here; `data_files.py`, `data_augment.py` and `data_report.py` add to it."""

from tuneloop.core.messages.data_augment import MESSAGES as AUGMENT_MESSAGES
from tuneloop.core.messages.data_files import MESSAGES as FILE_MESSAGES
from tuneloop.core.messages.data_report import MESSAGES as REPORT_MESSAGES

MESSAGES: dict[str, tuple[str, str]] = {
    "data.grammar_missing": (
        "There is no built-in grammar {name} in the language {data_language}.",
        "没有名为 {name}、语言为 {data_language} 的内置语法。",
    ),
    "data.grammar_missing.hint": ("Built in are: {known}.", "内置的语法有：{known}。"),
    "data.grammar_invalid": (
        "The grammar {file} is wrong at {where}: {problem}",
        "语法文件 {file} 在 {where} 处有误：{problem}",
    ),
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
    # Files and columns
    "data.file_missing": ("There is no file {file}.", "找不到文件 {file}。"),
    "data.file_missing.hint": (
        "Check the path{near}. Relative paths start from the recipe's folder.",
        "请检查路径{near}。相对路径从配方所在文件夹算起。",
    ),
    "data.near_file": ("; the nearest name in that folder is: {name}", "；该文件夹中最接近的文件名是：{name}"),
    "data.is_folder": ("{file} is a folder, not a file.", "{file} 是文件夹，不是文件。"),
    "data.is_folder.hint": (
        "Name one file of it. Files that can be read there: {inside}.",
        "请指定其中的一个文件。其中可以读取的文件：{inside}。",
    ),
    "data.extension_unknown": (
        "{file} has the extension {extension}, which can't be read.",
        "{file} 的扩展名是 {extension}，无法读取。",
    ),
    "data.extension_unknown.hint": (
        "Files of these kinds can be read: {known}. Save the file as one of them.",
        "可以读取的文件类型：{known}。请另存为其中一种。",
    ),
    "data.file_unreadable": ("{file} can't be opened: {problem}.", "{file} 无法打开：{problem}。"),
    "data.file_unreadable.hint": (
        "Check that you may read the file, and that it is not locked by another program.",
        "请检查是否有读取权限，以及文件是否被其他程序占用。",
    ),
    "data.file_empty": ("{file} is empty.", "{file} 是空文件。"),
    "data.file_empty.hint": (
        "Put a header and at least two rows into it, each with a question and an answer.",
        "请放入表头和至少两行数据，每行包含一个问题和一个答案。",
    ),
    "data.no_rows": ("{file} has a header but no rows.", "{file} 只有表头，没有数据行。"),
    "data.no_rows.hint": (
        "Add rows with questions and answers below the header.",
        "请在表头下面添加包含问题和答案的数据行。",
    ),
    "data.no_row_readable": (
        "No row of {file} can be read; row {row}: {reason}",
        "{file} 中没有任何一行可以读取；第 {row} 行：{reason}",
    ),
    "data.no_row_readable.hint": (
        "Check that the file is what its extension says, and save it again.",
        "请检查文件内容与扩展名是否一致，并重新保存。",
    ),
    "data.header_unreadable": ("The first line of {file} can't be read: {text}", "{file} 的首行无法读取：{text}"),
    "data.header_unreadable.hint": (
        "The first line must hold the column names; check its quotes.",
        "首行必须是列名；请检查其中的引号。",
    ),
    "data.excel_damaged": (
        "{file} can't be read as a spreadsheet: {problem}",
        "{file} 无法作为电子表格读取：{problem}",
    ),
    "data.excel_damaged.hint": (
        "It is damaged, protected by a password, or no .xlsx. Open it in a spreadsheet program and save it as .xlsx again.",
        "文件已损坏、受密码保护，或不是 .xlsx。请用表格软件打开并重新另存为 .xlsx。",
    ),
    "data.sheet_missing": ("{file} has no sheet {sheet}.", "{file} 中没有名为 {sheet} 的工作表。"),
    "data.sheet_missing.hint": ("Its sheets are: {found}.", "它的工作表有：{found}。"),
    "data.sheet_empty": ("Sheet {sheet} of {file} is empty.", "{file} 的工作表 {sheet} 是空的。"),
    "data.sheet_empty.hint": (
        "Choose another sheet with `sheet:`, or put a header and rows into it.",
        "请用 sheet: 选择其他工作表，或放入表头和数据行。",
    ),
    "data.json_damaged": (
        "{file} is no JSON: {problem} at line {row}, column {column}.",
        "{file} 不是有效的 JSON：第 {row} 行第 {column} 列，{problem}。",
    ),
    "data.json_damaged.hint": (
        "Correct that place. If every line is an object of its own, name the file .jsonl: then only bad lines are left out.",
        "请修正该处。如果每一行都是独立的对象，请把扩展名改为 .jsonl，这样只会跳过出错的行。",
    ),
    "data.json_shape": (
        "{file} holds no list of records; it holds: {found}.",
        "{file} 中没有记录列表；其内容是：{found}。",
    ),
    "data.json_shape.hint": (
        'Write a list of objects, or {{"data": [ … ]}}.',
        '请写成对象的列表，或 {{"data": [ … ]}}。',
    ),
    "data.column_missing": (
        "{file} has no column {column}, which the recipe names for {field}.",
        "{file} 中没有列 {column}（配方中 {field} 指定的列）。",
    ),
    "data.column_missing.hint": (
        "Its columns are: {found}. The nearest is: {near}. Correct `columns:` in the recipe.",
        "它的列有：{found}。最接近的是：{near}。请修改配方中的 columns:。",
    ),
    "data.field_unknown": (
        "`columns:` for {file} names the unknown field {field}.",
        "{file} 的 columns: 中有未知字段 {field}。",
    ),
    "data.field_unknown.hint": (
        "Did you mean {near}? Known fields: {known}. Any other name becomes a tag.",
        "您是否想写 {near}？已知字段：{known}。其他名称会作为标签。",
    ),
    "data.columns_unclear": (
        "Which columns of {file} hold the questions and the answers can't be told.",
        "无法判断 {file} 的哪些列是问题、哪些列是答案。",
    ),
    "data.columns_unclear.hint": (
        "Its columns are: {found}. Name them in the recipe: `columns: {{input_text: …, target_text: …}}`.",
        "它的列有：{found}。请在配方中指定：columns: {{input_text: …, target_text: …}}。",
    ),
    "data.question_unclear": (
        "Which column of {file} holds the questions can't be told.",
        "无法判断 {file} 的哪一列是问题。",
    ),
    "data.question_unclear.hint": (
        "Its columns are: {found}. Name it: `columns: {{input_text: …}}`.",
        "它的列有：{found}。请指定：columns: {{input_text: …}}。",
    ),
    # The rows as a whole
    "data.too_many_quarantined": (
        "{bad} of {read} rows of {file} can't be used, more than the allowed {limit}. {reasons}",
        "{file} 的 {read} 行中有 {bad} 行无法使用，超过允许的 {limit}。{reasons}",
    ),
    "data.too_many_quarantined.hint": (
        "The file is probably not what it seems: check the columns (`columns:`) and the rows named above. "
        "To go on with the good rows, raise `data.max_quarantined`.",
        "文件可能与预期不符：请检查列的对应（columns:）和上面列出的行。若要只用其余的行继续，请调高 data.max_quarantined。",
    ),
    "data.row_reason": ("Row {number}: {reason}", "第 {number} 行：{reason}"),
    "data.no_row_usable": (
        "None of the first rows of {file} can be used. Row {row}: {reason}",
        "{file} 开头的数据没有一行可用。第 {row} 行：{reason}",
    ),
    "data.no_row_usable.hint": (
        "Fill in questions and answers, or name their columns: --column input_text=… --column target_text=….",
        "请补全问题和答案，或指定所在的列：--column input_text=… --column target_text=…。",
    ),
    "data.row_of_file": ("{file}, row {number}: {reason}", "{file} 第 {number} 行：{reason}"),
    "data.answers_all_empty": (
        "All {rows} rows of {file} have an empty answer.",
        "{file} 的全部 {rows} 行答案都为空。",
    ),
    "data.answers_all_empty.hint": (
        "Check that `columns: {{target_text: …}}` names the column with the answers.",
        "请检查 columns: {{target_text: …}} 指定的是否是答案所在的列。",
    ),
    "data.questions_all_empty": (
        "All {rows} rows of {file} have an empty question.",
        "{file} 的全部 {rows} 行问题都为空。",
    ),
    "data.questions_all_empty.hint": (
        "Check that `columns: {{input_text: …}}` names the column with the questions.",
        "请检查 columns: {{input_text: …}} 指定的是否是问题所在的列。",
    ),
    "data.too_few": (
        "Only {questions} different question(s) in {rows} usable row(s): nothing can be held out to test with.",
        "{rows} 行可用数据中只有 {questions} 个不同的问题，无法留出测试数据。",
    ),
    "data.too_few.hint": (
        "Add rows with other questions: 3 are enough to run, 50 to see anything, 2,000 to 5,000 for good results.",
        "请增加不同问题的行：3 行即可运行，50 行才能看出效果，2000 到 5000 行效果较好。",
    ),
    "data.no_training_rows": (
        "None of the {rows} usable rows is left for training.",
        "{rows} 行可用数据中没有一行可用于训练。",
    ),
    "data.no_training_rows.hint": (
        "Add training rows: all rows stand on the validation or test side, or ask questions that stand there.",
        "请增加训练数据：所有行都属于验证集或测试集，或与其中的问题相同。",
    ),
    "data.group_missing": (
        "No row has the tag {group_by} that `split.group_by` names.",
        "没有任何一行带有 split.group_by 指定的标签 {group_by}。",
    ),
    "data.group_missing.hint": (
        "Tags that exist: {known}. Make a column a tag: `columns: {{{group_by}: <column>}}`.",
        "现有标签：{known}。把某一列设为标签：columns: {{{group_by}: <列名>}}。",
    ),
    # Reasons of quarantined rows; `.short` counts them in the report
    "data.line_unreadable": ("The line is no JSON: {problem}.", "该行不是有效的 JSON：{problem}。"),
    "data.line_unreadable.short": ("line is no JSON", "该行不是有效的 JSON"),
    "data.row_not_object": ("The row is a {found}, not an object with fields.", "该行是 {found}，不是带字段的对象。"),
    "data.row_not_object.short": ("row is no object", "该行不是对象"),
    "data.row_ragged": (
        "The row has {found} cells where the header has {expected}.",
        "该行有 {found} 个单元格，而表头只有 {expected} 个。",
    ),
    "data.row_ragged.short": ("more cells than the header", "单元格多于表头"),
    "data.row_quotes": ("The quotes of the row are broken: {problem}.", "该行的引号不成对：{problem}。"),
    "data.row_quotes.short": ("broken quotes", "引号不成对"),
    "data.row_undecodable": (
        "{column} holds bytes that are no text in the file's encoding.",
        "{column} 中含有无法按文件编码解码的字节。",
    ),
    "data.row_undecodable.short": ("bytes that are no text", "含有无法解码的字节"),
    "data.value_not_text": ("{column} holds a {found}, not a text.", "{column} 的内容是 {found}，不是文本。"),
    "data.value_not_text.short": ("value is no text", "内容不是文本"),
    "data.messages_not_list": (
        "{column} holds a {found}, not a list of messages.",
        "{column} 的内容是 {found}，不是消息列表。",
    ),
    "data.messages_not_list.short": ("no list of messages", "不是消息列表"),
    "data.message_unreadable": (
        "Message {position} of {column} has no role and content.",
        "{column} 的第 {position} 条消息没有角色和内容。",
    ),
    "data.message_unreadable.short": ("message without role", "消息缺少角色"),
    "data.role_unknown": ("The role {role} is unknown; known are {known}.", "未知角色 {role}；已知角色：{known}。"),
    "data.role_unknown.short": ("unknown role", "未知角色"),
    "data.history_unreadable": (
        "{column} is no list of question–answer pairs, messages or lines.",
        "{column} 不是问答对、消息或对话行的列表。",
    ),
    "data.history_unreadable.short": ("history can't be read", "历史对话无法读取"),
    "data.question_empty": ("The question is empty.", "问题为空。"),
    "data.question_empty.short": ("empty question", "问题为空"),
    "data.answer_empty": ("The answer is empty.", "答案为空。"),
    "data.answer_empty.short": ("empty answer", "答案为空"),
    "data.turn_empty": ("Turn {position} of the conversation is empty.", "对话的第 {position} 轮为空。"),
    "data.turn_empty.short": ("empty turn in a conversation", "对话中有空轮次"),
    "data.split_unknown": (
        "{column} says {value}; it may say train, validation or test, or nothing.",
        "{column} 的值是 {value}；只能是 train、validation、test 或空。",
    ),
    "data.split_unknown.short": ("unknown split", "未知的数据集划分"),
    "data.marked_bad": (
        "{column} marks the answer as bad; it is kept out of training.",
        "{column} 将该答案标记为差，不用于训练。",
    ),
    "data.marked_bad.short": ("answer marked as bad", "答案被标记为差"),
    "data.row_rule_too_slow": (
        "The rule {rule} of the recipe took too long on the row.",
        "配方中的规则 {rule} 处理该行超时。",
    ),
    "data.row_rule_too_slow.short": ("an own rule took too long", "自定义规则超时"),
    "data.rule_too_slow": (
        "The rule {rule} of data.clean.custom took too long on {texts} texts; its pattern is {pattern}.",
        "data.clean.custom 中的规则 {rule} 在 {texts} 条文本上超时；其模式为 {pattern}。",
    ),
    "data.rule_too_slow.hint": (
        "Rewrite the pattern without nested repetitions such as (a+)+, or take the rule out.",
        "请改写模式，避免 (a+)+ 这样的嵌套重复，或移除该规则。",
    ),
    # Files that are written
    "data.out_extension": (
        "{file} has the extension {extension}, which can't be written.",
        "无法写入扩展名为 {extension} 的文件 {file}。",
    ),
    "data.out_extension.hint": ("Use one of: {known}.", "请使用其中之一：{known}。"),
    "data.out_folder": ("The folder {folder} does not exist.", "文件夹 {folder} 不存在。"),
    "data.out_folder.hint": ("Make it, or name another place.", "请先创建它，或指定其他位置。"),
    "data.out_exists": ("{file} exists already.", "{file} 已存在。"),
    "data.out_exists.hint": (
        "Nothing is overwritten unasked: name another file, or add --force.",
        "不会擅自覆盖文件：请指定其他文件名，或加 --force。",
    ),
    "data.out_unwritable": ("{file} can't be written: {problem}.", "{file} 无法写入：{problem}。"),
    "data.out_unwritable.hint": (
        "Check the free space and the permissions of its folder; no half-written file was left.",
        "请检查磁盘空间和文件夹权限；没有留下写了一半的文件。",
    ),
    "data.format_unknown": ("There is no export format {format}.", "没有名为 {format} 的导出格式。"),
    "data.format_unknown.hint": ("Use one of: {known}.", "请使用其中之一：{known}。"),
    "data.question_unreadable": ("Row {row} of {file} can't be read: {reason}", "{file} 第 {row} 行无法读取：{reason}"),
    "data.question_unreadable.hint": (
        "Correct or remove that row: the answers go back beside the questions, so no row may be skipped.",
        "请修正或删除该行：答案会写回问题旁边，因此不能跳过任何一行。",
    ),
    # What `init --data` found out
    "data.suggest.columns": ("{file}: the columns are {columns}.", "{file}：列的对应关系为 {columns}。"),
    "data.suggest.rows": ("about {rows} rows", "约 {rows} 行"),
    "data.suggest.language_en": ("language: English", "语言：英文"),
    "data.suggest.language_zh": ("language: Chinese", "语言：中文"),
    "data.suggest.split": ("the file divides its rows itself", "文件自带数据集划分"),
    "data.suggest.no_split": (
        "10% of the questions go to validation, 10% to test",
        "10% 的问题用于验证，10% 用于测试",
    ),
    "data.suggest.intent": ("labels: column {column}", "标签列：{column}"),
    # Progress
    "data.progress.reading": ("Reading and cleaning {file}", "正在读取并清洗 {file}"),
    "data.progress.comparing": ("Comparing near-duplicates", "正在比较近似重复"),
    "data.progress.leaks": ("Looking for leaks", "正在查找泄漏"),
    "data.progress.paraphrases": ("Looking for paraphrases", "正在查找改写的问题"),
    "data.encoder_finds_most": (
        "{encoder} calls {count} of {rows} training questions paraphrases of tested ones (similarity {similarity} or more): "
        "it can't tell them apart.",
        "{encoder} 认为 {rows} 个训练问题中有 {count} 个是测试侧问题的改写（相似度不低于 {similarity}）：它无法区分这些问题。",
    ),
    "data.encoder_finds_most.hint": (
        "Raise data.leaks.paraphrases.similarity, set `remove: false` to look at the candidates first, or take an encoder that "
        "was trained for sentence similarity.",
        "请调高 data.leaks.paraphrases.similarity，或先设 remove: false 查看候选，或换用为句子相似度训练的编码模型。",
    ),
    "data.encoder_missing": (
        "{folder} holds no sentence encoder: config.json and a .safetensors file must lie there.",
        "{folder} 中没有句子编码模型：其中必须有 config.json 和 .safetensors 文件。",
    ),
    "data.encoder_missing.hint": (
        "Set `data.leaks.paraphrases.encoder` to the folder of an encoder that you downloaded (BERT, MiniLM, BGE, E5 and the "
        "like, as safetensors), or leave `paraphrases` out.",
        "请把 data.leaks.paraphrases.encoder 设为已下载的编码模型文件夹（BERT、MiniLM、BGE、E5 等，safetensors 格式），"
        "或去掉 paraphrases。",
    ),
    "data.progress.writing": ("Writing the splits", "正在写入各部分"),
    "data.progress.pairs": ("pairs", "对"),
    "data.progress.rows": ("rows", "行"),
    "data.progress.making": ("Making samples with {name}", "正在用 {name} 生成样本"),
    "data.guess.names": (
        "{file}: recognised by their names: {columns}. Wrong? Set `columns:` in the recipe.",
        "{file}：按列名识别为 {columns}。如不正确，请在配方中设置 columns:。",
    ),
    "data.guess.content": (
        "{file}: guessed from the content: {columns}. Wrong? Set `columns:` in the recipe.",
        "{file}：根据内容猜测为 {columns}。如不正确，请在配方中设置 columns:。",
    ),
    "data.guess.label": (
        "{file}: no answers found, so the label is what the model learns to answer: {columns}. Wrong? Set `columns:`.",
        "{file}：没有找到答案列，因此以标签作为要学习的答案：{columns}。如不正确，请设置 columns:。",
    ),
    **FILE_MESSAGES,
    **AUGMENT_MESSAGES,
    **REPORT_MESSAGES,
}
