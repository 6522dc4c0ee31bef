"""What serving says: chat and prediction."""

MESSAGES: dict[str, tuple[str, str]] = {
    "serving.answering": ("Answering", "正在回答"),
    "serving.unit_answers": ("answers", "条"),
    "serving.message_invalid": ("These are no messages: {value}", "消息格式无效：{value}"),
    "serving.message_invalid.hint": (
        'Give a list of {{"role": "user", "content": "…"}}; roles are system, user, assistant and tool.',
        '请给出由 {{"role": "user", "content": "…"}} 组成的列表；角色为 system、user、assistant 或 tool。',
    ),
    "serving.no_question": ("There is nothing to answer.", "没有可回答的问题。"),
    "serving.no_question.hint": (
        "The last message must be the user's, and not empty.",
        "最后一条消息必须是用户的提问，且不能为空。",
    ),
    "serving.prompt_too_long": (
        "The conversation is {tokens} tokens long; the model was made for {limit}.",
        "对话长度为 {tokens} 个词元，模型上限为 {limit}。",
    ),
    "serving.prompt_too_long.hint": (
        "Shorten it; in a chat, /undo takes the last turn back and /reset starts again.",
        "请缩短内容；在对话中，/undo 撤回上一轮，/reset 重新开始。",
    ),
    "serving.no_adapter": ("There is no adapter in {place}.", "{place} 中没有适配器。"),
    "serving.no_adapter.hint": (
        "`tuneloop run RECIPE` makes one; a base model alone answers with --adapter base:smollm2-135m "
        "(serve, studio: --model smollm2-135m).",
        "用 tuneloop run 配方 可训练一个；仅用基座模型时加 --adapter base:smollm2-135m（serve、studio 用 --model smollm2-135m）。",
    ),
    "serving.which_adapter": ("There is more than one adapter.", "适配器不止一个。"),
    "serving.which_adapter.hint": ("Choose one with --adapter: {known}.", "请用 --adapter 选择：{known}。"),
    "serving.base_unnamed": ("base: names no model.", "base: 之后缺少模型名称。"),
    "serving.base_unnamed.hint": (
        "Write the model after it, for example base:smollm2-135m; `tuneloop models list` shows names.",
        "请在其后写出模型，例如 base:smollm2-135m；tuneloop models list 可列出名称。",
    ),
    "serving.export_base": (
        "{name} is a base model: there is no adapter to export.",
        "{name} 是基础模型，没有可导出的适配器。",
    ),
    "serving.export_base.hint": (
        "Name an adapter, for example bank-service@v0001.",
        "请指定适配器，例如 bank-service@v0001。",
    ),
    "serving.folder_not_empty": ("{file} is not an empty folder.", "{file} 不是空文件夹。"),
    "serving.folder_not_empty.hint": (
        "Choose another folder, or add --force to replace files of the same name.",
        "请换一个文件夹，或加 --force 覆盖同名文件。",
    ),
    "serving.welcome": ("{name} is ready. {commands}", "{name} 已就绪。{commands}"),
    "serving.commands": (
        "/adapter NAME lets another one answer, /compare [NAME [NAME]] lets two, /undo takes the last turn back, "
        "/reset starts again, /save [FILE] writes the conversation, /exit ends.",
        "/adapter 名称 换一个作答，/compare [名称 [名称]] 两个同时作答，/undo 撤回上一轮，/reset 重新开始，"
        "/save [文件] 保存对话，/exit 退出。",
    ),
    "serving.command_unknown": (
        "There is no command {command}; /help lists them.",
        "没有命令 {command}；/help 可列出全部。",
    ),
    "serving.adapter_names": ("/adapter takes one name.", "/adapter 需要一个名称。"),
    "serving.adapter_names.hint": (
        "For example /adapter bank-service@v0001, or /adapter base.",
        "例如 /adapter bank-service@v0001，或 /adapter base。",
    ),
    "serving.compare_names": ("/compare does not know whom to compare.", "/compare 无法确定比较对象。"),
    "serving.compare_names.hint": (
        "Give two names, for example /compare base bank-service; /adapter NAME ends a comparison.",
        "请给出两个名称，例如 /compare base bank-service；/adapter 名称 可结束比较。",
    ),
    "serving.now_answers": ("{name} answers from now on.", "现在由 {name} 作答。"),
    "serving.now_both": (
        "{left} and {right} answer from now on; /adapter NAME ends the comparison.",
        "现在由 {left} 与 {right} 同时作答；/adapter 名称 可结束比较。",
    ),
    "serving.speaks": ("{name}:", "{name}："),
    "serving.spoke": ("first words after {first} ms, all after {seconds} s", "首段用时 {first} 毫秒，共 {seconds} 秒"),
    "serving.saved": ("Saved as {path}; a recipe can read it.", "已保存到 {path}，可作为配方的数据源。"),
    "serving.nothing_to_save": ("Nothing has been said yet.", "还没有对话内容。"),
    "serving.not_saved": ("{file} was not written: {problem}.", "未能写入 {file}：{problem}。"),
    "serving.not_saved.hint": (
        "Name a new file in a folder that exists: /save talk.jsonl.",
        "请指定已有文件夹中的新文件：/save talk.jsonl。",
    ),
    "serving.reset": ("Started again.", "已重新开始。"),
    "serving.undone": ("The last turn is taken back.", "已撤回上一轮。"),
    "serving.nothing_to_undo": ("There is no turn to take back.", "没有可撤回的内容。"),
    # The server.
    "serving.draining": ("The server is ending.", "服务正在停止。"),
    "serving.draining.hint": ("Ask again when it is back.", "请待服务恢复后重试。"),
    "serving.full": (
        "{limit} requests wait or run already.",
        "等待和处理中的请求已达 {limit} 个。",
    ),
    "serving.full.hint": ("Ask again after the time in Retry-After.", "请在 Retry-After 给出的时间后重试。"),
    "serving.deadline": ("The answer took longer than {seconds} s.", "回答耗时超过 {seconds} 秒。"),
    "serving.deadline.hint": (
        "Ask for fewer tokens (max_tokens), or start the server with --set deadline_seconds=….",
        "请减少词元数（max_tokens），或以 --set deadline_seconds=… 启动服务。",
    ),
    "serving.model_unknown": ("There is no model {name}.", "没有名为 {name} 的模型。"),
    "serving.model_unknown.hint": ("GET /v1/models lists them.", "GET /v1/models 可列出全部。"),
    "serving.other_base": (
        "{name} belongs to the base model {base}; this server has {served}.",
        "{name} 属于基座模型 {base}；本服务的基座为 {served}。",
    ),
    "serving.other_base.hint": (
        "Start a server on that base model, or name another adapter: GET /v1/models lists them.",
        "请用该基座启动服务，或换用其他适配器：GET /v1/models 可列出。",
    ),
    "serving.body_invalid": ("{field}: {problem}", "{field}：{problem}"),
    "serving.body_invalid.hint": ("The reference page is at /docs.", "参考页面见 /docs。"),
    "serving.body_too_large": (
        "The body has {size} bytes; at most {limit} are taken.",
        "请求体为 {size} 字节，上限 {limit} 字节。",
    ),
    "serving.body_too_large.hint": (
        "Send less, or start the server with --set max_body_bytes=….",
        "请减小请求，或以 --set max_body_bytes=… 启动服务。",
    ),
    "serving.limit_reached": (
        "This key has used up its {name} ({limit}).",
        "该密钥已用尽 {name}（{limit}）。",
    ),
    "serving.limit_reached.hint": (
        "Ask again after the time in Retry-After ({retry_seconds} s).",
        "请在 Retry-After 给出的时间（{retry_seconds} 秒）后重试。",
    ),
    "serving.no_route": (
        "This question belongs to none of the models that this key may use.",
        "该问题不属于此密钥可用的任何模型。",
    ),
    "serving.no_route.hint": (
        "Name a model instead of auto, or ask about something else: GET /v1/models lists them.",
        "请指定模型而不用 auto，或换一个问题：GET /v1/models 可列出可用模型。",
    ),
    "serving.path_refused": ("Adapters are not loaded from paths.", "不支持从路径加载适配器。"),
    "serving.path_refused.hint": (
        "Leave lora_path out, and give the name of a registered adapter as lora_name.",
        "请去掉 lora_path，并在 lora_name 中给出已登记适配器的名称。",
    ),
    "serving.not_in_memory": ("{name} is not in memory.", "{name} 不在内存中。"),
    "serving.not_in_memory.hint": (
        "There is nothing to unload; adapters are loaded on their first use.",
        "无需卸载；适配器在首次使用时加载。",
    ),
    "serving.response_unknown": (
        "No answer with the id {id} is remembered.",
        "没有编号为 {id} 的回答记录。",
    ),
    "serving.response_unknown.hint": (
        "Send the id of a recent answer of this server; it remembers the newest ones until it ends.",
        "请发送本服务近期回答的 id；服务只在运行期间记住最新的回答。",
    ),
    "serving.route_unknown": ("There is nothing at {method} {path}.", "{method} {path} 不存在。"),
    "serving.route_unknown.hint": ("The reference page is at /docs.", "参考页面见 /docs。"),
    "serving.internal": ("Something went wrong in the server.", "服务内部出错。"),
    "serving.internal.hint": (
        "The server's log has the traceback under this request's id (header x-request-id).",
        "服务日志中按请求编号记录了详情。",
    ),
    "serving.ready": (
        "{base} is ready at {url} ({adapters} adapters). Ctrl-C ends it.",
        "{base} 已在 {url} 就绪（{adapters} 个适配器）。按 Ctrl-C 停止。",
    ),
    "serving.stopped": ("The server has stopped.", "服务已停止。"),
    "serving.stopped.hint": (
        "What it had accepted was answered first; the same command starts it again.",
        "已接受的请求都已先行回答；再次运行同一命令即可重新启动。",
    ),
    "serving.chat_ended": ("The conversation has ended.", "对话已结束。"),
    "serving.chat_ended.hint": (
        "/help in a conversation lists what else can be done.",
        "在对话中输入 /help 可查看其他操作。",
    ),
    "serving.open_host": (
        "Listening on {host} lets other machines in, and there are no keys yet.",
        "监听 {host} 会允许其他机器访问，而目前没有密钥。",
    ),
    "serving.open_host.hint": (
        "Make a key first (tuneloop keys create), or leave out --host to listen on this machine alone.",
        "请先创建密钥（tuneloop keys create），或去掉 --host，只在本机监听。",
    ),
    "serving.port_taken": ("Port {port} of {host} is in use.", "{host} 的端口 {port} 已被占用。"),
    "serving.port_taken.hint": (
        "Choose another one with --port, or 0 for any.",
        "请用 --port 换一个端口，0 表示任选。",
    ),
    "serving.setting_unknown": ("The server has no setting {name}.", "服务没有 {name} 这项设置。"),
    "serving.setting_unknown.hint": (
        "Write --set FIELD=VALUE; fields are {known}.",
        "请写作 --set 字段=值；字段有 {known}。",
    ),
    "serving.setting": ("{name} can't be {value}: {problem}.", "{name} 不能为 {value}：{problem}。"),
    "serving.setting.hint": (
        "`tuneloop serve --help` names the settings; the guide's page on serving says what they mean.",
        "tuneloop serve --help 列出各项设置；含义见指南中的部署一页。",
    ),
    "serving.engine_starting": ("Starting {program}; it writes to {log}.", "正在启动 {program}，日志写入 {log}。"),
    "serving.engine_url": ("The engine {engine} has no address.", "引擎 {engine} 没有地址。"),
    "serving.engine_url.hint": (
        "Leave engine_url out, or choose --engine vllm.",
        "请去掉 engine_url，或使用 --engine vllm。",
    ),
    "serving.engine_missing": ("There is no program {program}.", "找不到程序 {program}。"),
    "serving.engine_missing.hint": (
        "Install vLLM in an environment of its own and name its command (--set engine_program=…), or give the address of one "
        "that runs (--engine-url).",
        "请在独立环境中安装 vLLM 并指定其命令（--set engine_program=…），或给出正在运行的地址（--engine-url）。",
    ),
    "serving.engine_ended": (
        "The engine ended with status {status} before it answered: {said}",
        "引擎在应答前已退出（状态 {status}）：{said}",
    ),
    "serving.engine_ended.hint": ("{log} says why.", "原因见 {log}。"),
    "serving.engine_slow": ("The engine did not answer within {seconds} s.", "引擎在 {seconds} 秒内没有应答。"),
    "serving.engine_slow.hint": (
        "{log} says what it does; --set engine_start_seconds=… lets it take longer.",
        "进展见 {log}；可用 --set engine_start_seconds=… 延长等待。",
    ),
    "serving.engine_away": ("The engine at {url} does not answer: {problem}", "引擎 {url} 没有应答：{problem}"),
    "serving.engine_away.hint": ("Look whether it runs, and ask again.", "请检查其是否在运行，然后重试。"),
    "serving.engine_refused": (
        "The engine at {url} refuses (status {status}): {problem}",
        "引擎 {url} 拒绝了请求（状态 {status}）：{problem}",
    ),
    "serving.engine_refused.hint": (
        "vLLM loads adapters while it runs only with VLLM_ALLOW_RUNTIME_LORA_UPDATING=True and --enable-lora, and LoRA only.",
        "vLLM 须以 VLLM_ALLOW_RUNTIME_LORA_UPDATING=True 与 --enable-lora 启动才能在运行中加载适配器，且只支持 LoRA。",
    ),
    "serving.drained_late": ("Some answers were not finished after {seconds} s.", "{seconds} 秒后仍有回答未完成。"),
}
