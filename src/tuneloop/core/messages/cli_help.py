"""The help of the command line."""

MESSAGES: dict[str, tuple[str, str]] = {
    "cli.help": (
        "From a spreadsheet of questions and answers to a fine-tuned language model that is proven better.",
        "从一张问答表格，到一个经过验证、效果更好的微调模型。",
    ),
    "cli.help.init": (
        "Make a workspace with a recipe that fits: from a template, or for your own file.",
        "创建带配方的工作区：使用模板，或依据自己的数据文件生成。",
    ),
    "cli.help.run": (
        "The whole loop: prepare, check, train, evaluate, register. What is done already is not done again.",
        "完整流程：准备数据、检查、训练、评估、登记。已完成的步骤不会重做。",
    ),
    "cli.help.data": ("Datasets: prepare, list, show, export.", "数据集：准备、列出、查看、导出。"),
    "cli.help.data.prepare": (
        "Read, clean, split and freeze the recipe's sources.",
        "读取、清洗、划分并固化配方中的数据源。",
    ),
    "cli.help.data.list": ("The datasets of the workspace.", "列出工作区中的数据集。"),
    "cli.help.data.show": ("What a dataset holds, and where its report is.", "查看数据集的内容和报告位置。"),
    "cli.help.data.export": ("Write a dataset in the format of another tool.", "以其他工具的格式导出数据集。"),
    "cli.help.check": (
        "The pre-flight alone: will this training teach anything, and does it fit this machine?",
        "只做训练前检查：这次训练是否有效，本机能否承受？",
    ),
    "cli.help.train": ("Train the recipe's adapter.", "训练配方中的适配器。"),
    "cli.help.runs": ("Trainings: list, show.", "训练：列出、查看。"),
    "cli.help.runs.list": ("The trainings of the workspace.", "列出工作区中的训练。"),
    "cli.help.runs.show": (
        "One training: its plan, its figures, where its report is.",
        "查看一次训练的计划、指标和报告位置。",
    ),
    "cli.help.evaluate": (
        "Compare base and tuned model on the same held-out rows.",
        "在相同的留出数据上比较基础模型与微调模型。",
    ),
    "cli.help.evaluations": ("Evaluations: list, show, compare.", "评估：列出、查看、对比。"),
    "cli.help.evaluations.list": ("The evaluations of the workspace.", "列出工作区中的评估。"),
    "cli.help.evaluations.show": ("One evaluation: verdict, figures, answers.", "查看一次评估的结论、指标和回答。"),
    "cli.help.rules": ("Scripts of rules: check, schema.", "话术规范：检验、格式。"),
    "cli.help.rules.check": (
        "Try a script out: good answers must pass, an answer broken in one place must fail exactly that rule.",
        "检验话术规范：合格回答必须通过，改坏一处的回答必须且只违反对应规则。",
    ),
    "cli.help.rules.schema": (
        "The JSON schema of a script, for editors.",
        "输出话术规范的 JSON schema，供编辑器使用。",
    ),
    "cli.option.measure": (
        "Load the weights and try one real step of the largest micro-batch, and the room on the disk.",
        "加载权重，试跑最大微批的一步，并试占磁盘空间。",
    ),
    "cli.option.find_learning_rate": (
        "First try a few learning rates for a few steps each, and take the best (training.find_learning_rate).",
        "先用几个学习率各试训若干步，取最优者（training.find_learning_rate）。",
    ),
    "cli.option.plan_device": (
        "Plan for a GPU that is not here; the model's weights are not needed.",
        "为本机没有的 GPU 制订计划；无需模型权重。",
    ),
    "cli.option.rules_data": (
        "Questions and answers: a file, a dataset's test.jsonl, or grammar:NAME of a built-in grammar.",
        "问答数据：文件、数据集的 test.jsonl，或内置语法 grammar:名称。",
    ),
    "cli.option.rules_rows": ("Use at most so many rows.", "最多使用的行数。"),
    "cli.help.evaluations.compare": (
        "The tuned arm of one evaluation against that of another, on the rows that both scored.",
        "在两次评估共有的数据上，比较各自的微调后模型。",
    ),
    "cli.help.predict": (
        "Answer a file of questions and write a file of answers.",
        "回答文件中的问题，并写出带答案的文件。",
    ),
    "cli.help.serve": (
        "Answer over HTTP, as OpenAI's API does: the base model and every adapter of the workspace.",
        "以 OpenAI 兼容接口提供 HTTP 服务：基座模型与工作区的全部适配器。",
    ),
    "cli.help.studio": (
        "Open the page to try adapters side by side, on this machine alone.",
        "打开网页并排试用各适配器，仅限本机访问。",
    ),
    "cli.help.feedback": ("What people said about answers: list, export.", "用户对回答的反馈：列出、导出。"),
    "cli.help.feedback.list": ("The newest feedback, with the version that answered.", "列出最新的反馈及作答的版本。"),
    "cli.help.feedback.export": (
        "Write feedback as rows that a training reads: pairs of answers, and conversations with a label.",
        "把反馈导出为可用于训练的数据：成对回答，以及带标签的对话。",
    ),
    "cli.option.feedback_adapter": ("Only about this adapter, or this version.", "只看该适配器或该版本。"),
    "cli.option.feedback_kind": ("Only of this kind.", "只看该类反馈。"),
    "cli.option.feedback_limit": ("The newest so many.", "最新的条数。"),
    "cli.option.out_feedback": ("File to write (.jsonl).", "输出文件（.jsonl）。"),
    "cli.help.keys": ("API keys of the server: create, list, revoke.", "服务的 API 密钥：创建、列出、吊销。"),
    "cli.help.keys.create": ("Make a key; it is printed once.", "创建密钥；仅显示一次。"),
    "cli.help.keys.list": ("All keys, without the keys themselves.", "列出全部密钥（不含密钥本身）。"),
    "cli.help.keys.revoke": (
        "Let a key be refused; running servers follow within a second.",
        "吊销密钥；运行中的服务会在一秒内生效。",
    ),
    "cli.option.key_role": ("What it may do.", "角色。"),
    "cli.option.key_label": ("Whose it is.", "所属者。"),
    "cli.option.key_adapter": (
        "Only this adapter (or base) exists for it; several times for more.",
        "仅可使用该适配器（或 base）；可多次给出。",
    ),
    "cli.option.key_scope": (
        "Only this of what its role may; several times for more.",
        "仅限角色中的该项权限；可多次给出。",
    ),
    "cli.option.key_days": ("It expires after so many days.", "有效天数。"),
    "cli.option.key_requests": ("Requests a minute.", "每分钟请求数。"),
    "cli.option.key_tokens": ("Tokens a minute, read and written.", "每分钟词元数（输入与输出合计）。"),
    "cli.option.key_id": ("Id of the key, as tuneloop keys list shows it.", "密钥编号，见 tuneloop keys list。"),
    "cli.option.serve_model": (
        "Base model; that of the workspace's newest adapter by default.",
        "基座模型；默认为工作区最新适配器的基座。",
    ),
    "cli.option.engine": (
        "Who generates: torch is this program; vllm a process of vLLM, which is started, or attached to with --engine-url; "
        "openvino merged models on a CPU.",
        "由谁生成：torch 为本程序；vllm 为 vLLM 进程，自动启动，或用 --engine-url 连接；"
        "openvino 在 CPU 上运行合并后的模型。",
    ),
    "cli.option.engine_url": (
        "Address of a vLLM process that runs already, without /v1.",
        "正在运行的 vLLM 进程的地址，不含 /v1。",
    ),
    "cli.option.serve_set": (
        "A setting of the server, again and again: max_new_tokens, batch_size, queue_limit, deadline_seconds, max_body_bytes, "
        "adapter_bytes, engine_program, engine_start_seconds.",
        "服务的一项设置，可重复：max_new_tokens、batch_size、queue_limit、deadline_seconds、max_body_bytes、adapter_bytes、"
        "engine_program、engine_start_seconds。",
    ),
    "cli.option.host": ("Address to listen on.", "监听地址。"),
    "cli.option.port": ("Port to listen on; 0 lets the system choose.", "监听端口；0 表示由系统选择。"),
    "cli.help.chat": (
        "Talk to an adapter or a base model; one question as argument prints only the answer.",
        "与适配器或基础模型对话；把问题写作参数时只输出回答。",
    ),
    "cli.help.adapters": (
        "Registered adapters: list, show, promote, rollback, export, verify.",
        "已登记的适配器：列出、查看、上线、回滚、导出、校验。",
    ),
    "cli.help.adapters.list": ("The versions of all adapters and their aliases.", "列出所有适配器的版本与别名。"),
    "cli.help.adapters.show": (
        "One version: where it comes from and what judged it.",
        "查看一个版本的来源与评估结果。",
    ),
    "cli.help.adapters.promote": (
        "Let a version serve (alias production), if the gate of its recipe allows it; exit status 4 if not.",
        "让一个版本上线（别名 production），须通过其配方的准入规则；未通过时退出码为 4。",
    ),
    "cli.help.adapters.rollback": (
        "Let the version serve again that served before.",
        "回滚到此前上线的版本。",
    ),
    "cli.help.adapters.export": (
        "Write a version for another program (merged model, PEFT, GGUF for llama.cpp and Ollama); what was written is "
        "read back and must give the stored answers, else exit status 7.",
        "导出一个版本供其他程序使用（合并模型、PEFT、供 llama.cpp 与 Ollama 使用的 GGUF）；写出的内容会重新读入并重放"
        "存储的回答，不一致时退出码为 7。",
    ),
    "cli.help.adapters.verify": (
        "Check a version's files, its base, its template, and that it still gives its stored answers; exit status 7 if "
        "not.",
        "校验一个版本的文件、基座、对话模板，并重放存储的回答；不一致时退出码为 7。",
    ),
    "cli.help.models": ("Starter models: list, get.", "基础模型：列出、获取。"),
    "cli.help.models.list": ("The models that tuneloop knows by name.", "列出 tuneloop 认识的模型。"),
    "cli.help.models.get": ("Download a model now, so that a run needs no network.", "提前下载模型，训练时无需联网。"),
    "cli.help.recipe": ("Recipes: show, schema.", "配方：查看、结构。"),
    "cli.help.recipe.show": ("Every value of a recipe and where it came from.", "显示配方的所有取值及其来源。"),
    "cli.help.recipe.schema": ("The JSON schema of recipes, for editors.", "输出配方的 JSON schema，供编辑器使用。"),
    "cli.help.doctor": (
        "Is this machine ready? Versions, hardware, memory, disk, folders.",
        "检查本机环境：版本、硬件、内存、磁盘、文件夹。",
    ),
    "cli.help.version": ("The version of tuneloop.", "显示 tuneloop 的版本。"),
    # Options.
    "cli.option.workspace": (
        "Folder of datasets, runs and adapters (default: TUNELOOP_WORKSPACE, the nearest parent with tuneloop.yaml, "
        "or the current folder).",
        "数据集、训练和适配器所在的文件夹（默认：TUNELOOP_WORKSPACE、最近的含 tuneloop.yaml 的上级文件夹或当前文件夹）。",
    ),
    "cli.option.build_kernels": (
        "Build the C++ kernels now (a second; the first training does it otherwise).",
        "立即编译 C++ 算子（约一秒；否则首次训练时编译）。",
    ),
    "cli.option.language": ("Language of this program: en or zh.", "本程序的界面语言：en 或 zh。"),
    "cli.option.json": (
        "Print one JSON document to stdout instead of tables.",
        "向标准输出写一个 JSON 文档，而不是表格。",
    ),
    "cli.option.debug": ("Show the traceback of an error.", "出错时显示完整的报错信息。"),
    "cli.option.recipe": ("The recipe's YAML file.", "配方的 YAML 文件。"),
    "cli.option.set": (
        "Set one value of the recipe, for example training.learning_rate=2e-4. May be repeated.",
        "修改配方中的一个值，例如 training.learning_rate=2e-4。可多次使用。",
    ),
    "cli.option.force": ("Do it again even if the result exists.", "即使结果已存在也重新执行。"),
    "cli.option.replace": ("Replace what is there.", "覆盖已有的内容。"),
    "cli.option.accept_license": (
        "Accept the licence of a model that asks for it, by name (gemma).",
        "按名称接受需要同意的模型许可（如 gemma）。",
    ),
    "cli.option.adapter": (
        "An adapter (name, name@v0003 or name@alias), a folder with an adapter, or base:MODEL.",
        "适配器（name、name@v0003 或 name@alias）、适配器文件夹，或 base:模型。",
    ),
    "cli.option.adapter_name": ("Name of the adapter.", "适配器名称。"),
    "cli.option.learning_curve": (
        "Also train on a quarter and on half of the rows: will more data help?",
        "另用四分之一和一半的数据训练：增加数据是否有帮助？",
    ),
    "cli.option.gate_evaluation": (
        "Evaluation that the gate looks at (default: the newest one of this training).",
        "准入所依据的评估（默认为该训练的最新评估）。",
    ),
    "cli.option.until": ("Stop after this stage.", "执行到该阶段为止。"),
    "cli.option.smoke": (
        "A quick trial with 20 rows and a few steps: does everything run?",
        "用 20 行数据和几步训练快速试跑：流程能否跑通？",
    ),
    "cli.option.resume": (
        "Continue the newest unfinished training of this recipe.",
        "继续该配方最近一次未完成的训练。",
    ),
    "cli.option.dir": ("Folder of the workspace (default: the current one).", "工作区文件夹（默认：当前文件夹）。"),
    "cli.option.template": ("Template to start from, for example bank-service.", "使用的模板，例如 bank-service。"),
    "cli.option.sheet": (
        "Sheet of the spreadsheet (default: all that hold questions and answers).",
        "表格中的工作表（默认读取所有含问答的工作表）。",
    ),
    "cli.option.column": (
        "Which column holds what, where the guess is wrong, for example target_text=Reply. Can be repeated.",
        "列的对应关系（猜测有误时使用），例如 target_text=答复。可重复使用。",
    ),
    "cli.option.data": (
        "Your questions and answers: a file (csv, tsv, xlsx, json, jsonl, parquet, txt, md, docx, also .gz), a folder, a .zip, "
        "a pattern or an address.",
        "您的问答数据：文件（csv、tsv、xlsx、json、jsonl、parquet、txt、md、docx，也可为 .gz）、文件夹、.zip、通配符或网址。",
    ),
    "cli.option.dataset": ("Name or id of a dataset.", "数据集的名称或编号。"),
    "cli.option.format": ("Format to write.", "导出格式。"),
    "cli.option.out_dataset": (
        "File to write (default: named after dataset and format, in the current folder).",
        "输出文件（默认以数据集和格式命名，写入当前文件夹）。",
    ),
    "cli.option.out_folder": ("Folder to write into.", "输出文件夹。"),
    "cli.option.run": ("Id of a run, or the beginning of it.", "训练的编号或其开头。"),
    "cli.option.evaluation": ("Id of an evaluation, or the beginning of it.", "评估的编号或其开头。"),
    "cli.option.evaluate_recipe": (
        "The recipe's YAML file; or give --adapter and --data.",
        "配方的 YAML 文件；或使用 --adapter 与 --data。",
    ),
    "cli.option.evaluate_data": ("File of questions with reference answers.", "带参考答案的问题文件。"),
    "cli.option.script": (
        "Script of rules to score: a file or a built-in name.",
        "用于评分的话术规范：文件或内置名称。",
    ),
    "cli.option.questions": ("File of questions (csv, xlsx, jsonl, json).", "问题文件（csv、xlsx、jsonl、json）。"),
    "cli.option.answers": ("File to write (csv, xlsx, jsonl).", "输出文件（csv、xlsx、jsonl）。"),
    "cli.option.max_new_tokens": (
        "Longest answer in tokens; predict takes what the adapter's recipe or evaluation allowed, else 512.",
        "回答的最大词元数；predict 默认取该适配器的配方或评估所允许的长度，否则为 512。",
    ),
    "cli.option.question": ("One question; without it, a conversation starts.", "一个问题；不写则进入对话。"),
    "cli.option.form": (
        "merged: a whole model; peft: the adapter alone; gguf: both for llama.cpp and Ollama, with a Modelfile; "
        "openvino: a whole model as an OpenVINO graph.",
        "merged：完整模型；peft：仅适配器；gguf：供 llama.cpp 与 Ollama 使用的模型与适配器，附 Modelfile；"
        "openvino：OpenVINO 计算图形式的完整模型。",
    ),
    "cli.option.gguf_weights": (
        "How a GGUF file stores matrices (q8_0 halves f16 and rounds), or an OpenVINO graph (f32 or f16).",
        "GGUF 中矩阵的存储方式（q8_0 为 f16 的一半，会有舍入），或 OpenVINO 计算图的存储方式（f32 或 f16）。",
    ),
    "cli.option.question_column": (
        "Column of the questions (guessed if not given).",
        "问题所在的列（不写则自动推测）。",
    ),
    "cli.option.data_language": ("Language of the file's texts.", "文件内容的语言。"),
    "cli.option.model": ("Name in the catalogue, or hub id.", "目录中的名称或模型库编号。"),
}
