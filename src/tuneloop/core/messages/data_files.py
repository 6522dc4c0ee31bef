"""What is said about files and rows that can't be read; `data.py` takes it in."""

MESSAGES: dict[str, tuple[str, str]] = {
    # Files
    "data.file_too_large": (
        "{file} is larger than {limit} MB, which is the most that can be read of this kind.",
        "{file} 超过 {limit} MB，超出此类文件可读取的上限。",
    ),
    "data.file_too_large.hint": (
        "Split it, or save it as .csv, .jsonl or .parquet: those may have any size.",
        "请拆分文件，或另存为 .csv、.jsonl 或 .parquet，这些格式没有大小限制。",
    ),
    "data.archive_damaged": ("{file} can't be unpacked: {problem}.", "{file} 无法解压：{problem}。"),
    "data.archive_damaged.hint": (
        "It is damaged or protected by a password. Pack it again without one.",
        "文件已损坏或受密码保护。请重新打包，且不要设置密码。",
    ),
    "data.archive_name": (
        "{file} holds the name {member}, which leads out of the archive.",
        "{file} 中的名称 {member} 指向压缩包之外。",
    ),
    "data.archive_name.hint": (
        "Such an archive is not made by accident: do not use it unless you know where it comes from, and pack it again.",
        "这样的压缩包通常不是无意产生的：请确认来源，并重新打包。",
    ),
    "data.archive_empty": ("{file} holds no file that can be read.", "{file} 中没有可读取的文件。"),
    "data.archive_empty.hint": ("Files of these kinds can be read: {known}.", "可以读取的文件类型：{known}。"),
    "data.inflates": (
        "{file} inflates to more than {times} times its size, as an attack on memory would.",
        "{file} 解压后超过原大小的 {times} 倍，疑似压缩炸弹。",
    ),
    "data.inflates.hint": (
        "If the file is yours, unpack it, or save the sheet as .csv, and use that.",
        "如果文件确实可信，请先自行解压，或把工作表另存为 .csv 再使用。",
    ),
    "data.document_damaged": (
        "{file} is damaged, or no document: {problem}.",
        "{file} 已损坏或不是有效文档：{problem}。",
    ),
    "data.document_damaged.hint": (
        "It is damaged, protected by a password, or not what its extension says. Open it in its program and save it again.",
        "文件已损坏、受密码保护，或与扩展名不符。请用相应软件打开并重新保存。",
    ),
    "data.document_entities": (
        "{file} defines XML entities in {member}, which no office program does.",
        "{file} 的 {member} 中定义了 XML 实体，办公软件不会这样做。",
    ),
    "data.document_entities.hint": (
        "It may be an attack: do not use it unless you know where it comes from, and save it again in its program.",
        "这可能是攻击文件：请确认来源，并用相应软件重新保存。",
    ),
    "data.parquet_damaged": ("{file} can't be read as Parquet: {problem}", "{file} 无法作为 Parquet 读取：{problem}"),
    "data.parquet_damaged.hint": (
        "It is damaged or no Parquet file; write it again.",
        "文件已损坏或不是 Parquet，请重新生成。",
    ),
    "data.too_many_columns": (
        "{file} has {found} columns; {limit} are allowed.",
        "{file} 有 {found} 列；最多允许 {limit} 列。",
    ),
    "data.too_many_columns.hint": (
        "Keep the columns with questions, answers and labels. If it has fewer, its delimiter was not found.",
        "请只保留问题、答案和标签列。如果实际列数没有这么多，说明分隔符识别有误。",
    ),
    "data.text_unclear": (
        "Which lines of {file} are questions and which are answers can't be told.",
        "无法判断 {file} 中哪些行是问题、哪些行是答案。",
    ),
    "data.text_unclear.hint": (
        "Write `Q: …` and `A: …` before them, or each question as a heading (`## …`) above its answer, or a table.",
        "请在前面写上“问：”和“答：”，或把问题写成标题（## …）、答案写在下面，或使用表格。",
    ),
    "data.glob_empty": ("No file fits the pattern {file}.", "没有文件符合 {file}。"),
    "data.glob_empty.hint": (
        "Check the pattern: `*` stands for a part of a name, `**` for folders. Files of these kinds can be read: {known}.",
        "请检查通配符：* 代表名称的一部分，** 代表任意层文件夹。可以读取的文件类型：{known}。",
    ),
    "data.folder_empty": ("The folder {file} holds no file that can be read.", "文件夹 {file} 中没有可读取的文件。"),
    "data.folder_empty.hint": ("Files of these kinds can be read: {known}.", "可以读取的文件类型：{known}。"),
    "data.scheme_unknown": ("{file} can't be opened: {problem}.", "无法打开 {file}：{problem}。"),
    "data.scheme_unknown.hint": (
        "http, https and file need nothing more; s3 needs `pip install 'tuneloop[s3]'`, other stores their fsspec package.",
        "http、https 和 file 无需额外安装；s3 需要 pip install 'tuneloop[s3]'，其他存储需安装对应的 fsspec 包。",
    ),
    "data.fetch_failed": ("{file} could not be fetched: {problem}.", "无法获取 {file}：{problem}。"),
    "data.fetch_failed.hint": (
        "Check the address and the network, and try again; or download the file and name its path.",
        "请检查地址和网络后重试；或先下载文件，再填写其路径。",
    ),
    "data.info_damaged": (
        "{file} is no dataset_info.json as LLaMA-Factory writes it: {problem}.",
        "{file} 不是 LLaMA-Factory 格式的 dataset_info.json：{problem}。",
    ),
    "data.info_damaged.hint": (
        "It must be an object of datasets, each with `file_name`; correct it, or name the data files themselves.",
        "它必须是由数据集组成的对象，每个数据集带有 file_name；请修正，或直接指定数据文件。",
    ),
    "data.info_empty": (
        "{file} names no dataset whose file lies beside it.",
        "{file} 中列出的数据集在同一文件夹下都找不到文件。",
    ),
    "data.info_empty.hint": (
        "Put the files there, or name them as sources of their own. Datasets of a hub are not fetched.",
        "请把文件放到该文件夹，或单独指定为数据源。不会从模型平台下载数据集。",
    ),
    # Reasons of quarantined rows
    "data.row_too_long": ("The row is longer than {limit} characters.", "该行超过 {limit} 个字符。"),
    "data.row_too_long.short": ("too long to be a row", "行过长"),
    "data.row_too_wide": (
        "The row has {found} fields; {limit} are allowed.",
        "该行有 {found} 个字段；最多允许 {limit} 个。",
    ),
    "data.row_too_wide.short": ("too many fields", "字段过多"),
    "data.key_repeated": (
        "The key {key} stands twice in one object, with different values.",
        "同一对象中键 {key} 出现两次，且值不同。",
    ),
    "data.key_repeated.short": ("a key twice in one object", "键重复"),
    "data.item_broken": (
        "The item is no whole JSON value: a quote or a bracket is missing.",
        "该项不是完整的 JSON 值：缺少引号或括号。",
    ),
    "data.item_broken.short": ("broken JSON item", "JSON 项不完整"),
    "data.formula_without_value": (
        "A formula has no stored value in {cells}: the file was not saved by a spreadsheet program.",
        "{cells} 中的公式没有保存计算结果：该文件不是由表格软件保存的。",
    ),
    "data.formula_without_value.short": ("formula without a stored value", "公式没有保存结果"),
    "data.tool_call_unreadable": (
        "A tool call of {column} has no name and arguments.",
        "{column} 中的工具调用缺少名称和参数。",
    ),
    "data.tool_call_unreadable.short": ("tool call without a name", "工具调用缺少名称"),
    "data.tools_unreadable": ("{column} is no list of tool descriptions.", "{column} 不是工具定义的列表。"),
    "data.tools_unreadable.short": ("tools can't be read", "工具定义无法读取"),
    "data.text_outside": ("The text belongs to no question.", "这段文字不属于任何问题。"),
    "data.text_outside.short": ("text outside questions and answers", "不属于任何问答的文字"),
    # Notes
    "data.note.left_out": (
        "{file}: left out, as no reader takes them or they hold no questions: {names}.",
        "{file}：以下文件无法读取或不含问答，已跳过：{names}。",
    ),
    "data.note.sheets_left_out": (
        "{file}: the sheets {names} were left out, as their columns are no questions and answers. "
        "Name one with `sheet:` to read it.",
        "{file}：工作表 {names} 的列不是问答，已跳过。如需读取，请用 sheet: 指定。",
    ),
    "data.suggest.files": (
        "{count} files or sheets; what follows is said of the first one, {file}.",
        "共 {count} 个文件或工作表；以下说明针对第一个：{file}。",
    ),
    "data.note.info_used": (
        "{file}: the columns are those that dataset_info.json names.",
        "{file}：列的对应关系取自 dataset_info.json。",
    ),
    "data.note.info_missing": (
        "{file} also names datasets that are not in its folder: {names}.",
        "{file} 还列出了不在该文件夹中的数据集：{names}。",
    ),
}
