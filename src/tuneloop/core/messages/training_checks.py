"""What the pre-flight finds, and the fix of each finding."""

MESSAGES: dict[str, tuple[str, str]] = {
    "training.check.first": (" (first: {names})", "（首个：{names}）"),
    "training.check.rows": ("training rows: {count}", "{count} 行训练数据"),
    "training.check.rows.fix": (
        "collect more: 50 teach a form, 2,000 to 5,000 are usual for one domain; or lower data.split.validation and "
        "data.split.test",
        "请收集更多数据：50 行可学到格式，一个领域通常需要 2000 到 5000 行；或调小 data.split.validation 和 data.split.test",
    ),
    "training.check.stop_token": (
        "the stop token is supervised in {share:.1%} of the samples",
        "{share:.1%} 的样本监督了停止符",
    ),
    "training.check.stop_token.fix": (
        "raise training.max_length, or shorten the answers: a model that never sees its stop token does not stop",
        "增大 training.max_length 或缩短答案：没有停止符的监督，模型不会停下",
    ),
    "training.check.labels": (
        "{count} samples have no supervised token{first}",
        "{count} 个样本没有监督词元{first}",
    ),
    "training.check.labels.fix": (
        "raise training.max_length: the question alone fills it",
        "增大 training.max_length：仅问题就已占满",
    ),
    "training.check.truncation": (
        "{share:.1%} of the samples are cut at {length} tokens (the longest has {longest})",
        "{share:.1%} 的样本在 {length} 个词元处被截断（最长 {longest}）",
    ),
    "training.check.truncation.fix": (
        "set training.max_length to {longest}, or shorten or split these answers",
        "将 training.max_length 设为 {longest}，或缩短、拆分这些答案",
    ),
    "training.check.round_trip": (
        "{count} of the first 50 answers read back differently through the chat template{first}",
        "前 50 个答案中有 {count} 个经对话模板还原后不一致{first}",
    ),
    "training.check.round_trip.fix": (
        "the model's chat template drops or changes text: use another model or repair its template",
        "模型的对话模板会丢失或改动文字：请更换模型或修复模板",
    ),
    "training.check.readable": (
        "the model needs {rate:.2f} tokens for a character, and does not know {unknown:.1%} of them",
        "模型平均每个字符需要 {rate:.2f} 个词元，其中 {unknown:.1%} 是未知词元",
    ),
    "training.check.readable.fix": (
        "the model hardly knows this language: expect slow and poor results, choose one from `tuneloop models list`",
        "该模型几乎不懂这种语言，效果会差且慢：请从 tuneloop models list 中另选模型",
    ),
    "training.check.memory": (
        "about {needed:.1f} GB needed, {free:.1f} GB free",
        "约需 {needed:.1f} GB，可用 {free:.1f} GB",
    ),
    "training.check.memory.fix": (
        "lower training.max_tokens_per_batch, or choose a smaller model",
        "减小 training.max_tokens_per_batch，或换更小的模型",
    ),
    "training.check.time": ("about {minutes:.1f} minutes for {steps} steps", "{steps} 步约需 {minutes:.1f} 分钟"),
    "training.check.time.fix": (
        "lower training.num_train_epochs or use fewer rows",
        "减少 training.num_train_epochs 或数据行数",
    ),
    "training.check.disk": (
        "about {needed:.2f} GB needed, {free:.1f} GB free",
        "约需 {needed:.2f} GB，可用 {free:.1f} GB",
    ),
    "training.check.disk.fix": ("free some space", "请释放磁盘空间"),
    "training.check.padding": (
        "{count} samples have the padding token in their labels",
        "{count} 个样本的标签含填充符",
    ),
    "training.check.padding.fix": (
        "take the padding token out of the answers: the model would learn to write it",
        "请从答案中去掉填充符，否则模型会学着输出它",
    ),
    "training.check.padding.is_stop": (
        "the padding token is the stop token; tuneloop does not pad, and keeps it in the labels",
        "填充符与停止符相同；tuneloop 不做填充，标签中仍保留停止符",
    ),
    "training.check.padding.is_stop.fix": (
        "nothing here; other tools mask it, and their models do not stop: give the tokenizer a pad_token of its own there",
        "此处无需处理；其他工具会屏蔽它而使模型停不下来：在那里请为分词器另设 pad_token",
    ),
    "training.check.control_tokens": (
        "{count} samples have control tokens in their text{first}",
        "{count} 个样本的文字中含控制符{first}",
    ),
    "training.check.control_tokens.fix": (
        "they stay plain characters; where a chat template rendered the rows before, give the conversation itself "
        "(messages or columns) instead",
        "它们只按普通字符处理；若数据已套用过对话模板，请改为提供原始对话（messages 或列）",
    ),
    "training.check.duplicates": (
        "{share:.1%} of the training samples repeat another one ({removed} were removed before)",
        "{share:.1%} 的训练样本与其他样本重复（此前已删除 {removed} 个）",
    ),
    "training.check.duplicates.fix": (
        "switch data.deduplicate on, or remove the repeated rows: they are learnt by heart",
        "请开启 data.deduplicate，或删除重复数据：它们只会被死记硬背",
    ),
    "training.check.leaks": (
        "{count} held-out samples ask what a training sample asks{first}; {removed} more were removed before",
        "{count} 个留出样本的问题出现在训练集中{first}；此前已删除 {removed} 个",
    ),
    "training.check.leaks.fix": (
        "set data.split.group_by so that related rows stay together, or give validation and test files of their own",
        "请设置 data.split.group_by 使相关数据不被拆开，或单独提供验证和测试文件",
    ),
    "training.check.turn_tokens": (
        "turn tokens that the model was never trained on: {tokens}",
        "模型从未训练过的对话标记：{tokens}",
    ),
    "training.check.turn_tokens.fix": (
        "choose the instruction-tuned version of the model; an adapter can't teach these tokens, their embeddings are frozen",
        "请改用该模型的指令微调版：嵌入已冻结，适配器无法教会这些标记",
    ),
    "training.check.embeddings": (
        "tokens that were added to the vocabulary, and stay as they are: {names}",
        "后加入词表、不会被训练的词元：{names}",
    ),
    "training.check.embeddings.fix": (
        "make sure that the model was trained with these tokens, or write the words out",
        "请确认模型已训练过这些词元，或改用普通文字",
    ),
    "training.check.embeddings.targets": (
        "adapter.target_modules names {names}, which stay frozen",
        "adapter.target_modules 含 {names}，而它们始终冻结",
    ),
    "training.check.embeddings.targets.fix": (
        "take {names} out of adapter.target_modules",
        "请从 adapter.target_modules 中去掉 {names}",
    ),
    "training.check.warm_up": (
        "the rate rises for {warmup} of {steps} steps",
        "{steps} 步中有 {warmup} 步用于预热",
    ),
    "training.check.warm_up.fix": (
        "set training.warmup_steps to {fitting} or to auto, or train longer",
        "将 training.warmup_steps 设为 {fitting} 或 auto，或增加训练步数",
    ),
    "training.check.rehearsal": (
        "a step of the largest micro-batch ({tokens} tokens) was tried: {measured:.1f} GB in use, {planned:.1f} GB planned, "
        "{free:.1f} GB were free",
        "已试跑最大微批（{tokens} 个词元）的一步：占用 {measured:.1f} GB，计划 {planned:.1f} GB，可用 {free:.1f} GB",
    ),
    "training.check.rehearsal.fix": (
        "lower training.max_tokens_per_batch, or set training.gradient_checkpointing to true",
        "请减小 training.max_tokens_per_batch，或将 training.gradient_checkpointing 设为 true",
    ),
    "training.check.rehearsal.full": (
        "a step of the largest micro-batch ({tokens} tokens) does not fit into the {free:.1f} GB that are free",
        "最大微批（{tokens} 个词元）的一步超出可用的 {free:.1f} GB",
    ),
    "training.check.rehearsal.full.fix": (
        "lower training.max_tokens_per_batch; otherwise the training halves its micro-batches by itself",
        "请减小 training.max_tokens_per_batch；否则训练会自动将微批减半",
    ),
    "training.check.rehearsal.too_long": (
        "a step of the longest sample alone ({tokens} tokens) does not fit into the {free:.1f} GB that are free",
        "最长样本（{tokens} 个词元）单独一步也超出可用的 {free:.1f} GB",
    ),
    "training.check.rehearsal.too_long.fix": (
        "lower training.max_length below {tokens}, free some memory, or choose a smaller model",
        "请将 training.max_length 调到 {tokens} 以下、释放内存，或换更小的模型",
    ),
    "training.check.room": (
        "{needed:.2f} GB for all checkpoints were reserved in {folder} and given back",
        "已在 {folder} 试占全部检查点所需的 {needed:.2f} GB 并归还",
    ),
    "training.check.room.full": (
        "the disk of {folder} has no room for all checkpoints ({needed:.2f} GB), or a quota forbids it",
        "{folder} 所在磁盘放不下全部检查点（{needed:.2f} GB），或受配额限制",
    ),
    "training.check.room.full.fix": (
        "make room on this disk, lower training.save_total_limit, or move the workspace (--workspace)",
        "请清理磁盘、减小 training.save_total_limit，或更换工作区（--workspace）",
    ),
    "training.report_unreadable": ("{file} is not the report of a dataset.", "{file} 不是数据集报告。"),
    "training.report_unreadable.hint": (
        "Prepare the dataset again: `tuneloop data prepare RECIPE --force`.",
        "请重新准备数据集：tuneloop data prepare 配方 --force。",
    ),
}
