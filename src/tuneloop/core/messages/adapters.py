"""What the adapters area says."""

MESSAGES: dict[str, tuple[str, str]] = {
    "adapters.no_target": (
        "The model has no modules named {targets} that this method adapts.",
        "模型中没有名为 {targets} 且可由该方法适配的模块。",
    ),
    "adapters.no_target.hint": (
        "Leave adapter.target_modules out, or name some of: {found}.",
        "请去掉 adapter.target_modules，或从中选择：{found}。",
    ),
    "adapters.field_not_used": (
        "adapter.{field} has no meaning for adapter.method {method}.",
        "adapter.{field} 对 adapter.method {method} 没有意义。",
    ),
    "adapters.field_not_used.hint": (
        "Remove it, or choose a method that takes it: {methods}.",
        "请删除该字段，或选用接受它的方法：{methods}。",
    ),
    "adapters.blocks_only": (
        "adapter.method {method} adapts whole blocks, not the linear layers of `all-linear`.",
        "adapter.method {method} 适配的是整个模块（注意力或前馈），而不是 `all-linear` 的线性层。",
    ),
    "adapters.blocks_only.hint": (
        "Remove adapter.target_modules, or name blocks, for example [self_attn, mlp].",
        "请去掉 adapter.target_modules，或写出模块名，例如 [self_attn, mlp]。",
    ),
    "adapters.not_merged": (
        "The adapter {file} can't be merged: method {method} adds layers that are not linear.",
        "适配器 {file} 无法合并：方法 {method} 加入了非线性层。",
    ),
    "adapters.not_merged.hint": (
        "Export it with --format peft; chat, predict and evaluate use it as it is.",
        "请用 --format peft 导出；chat、predict 与 evaluate 可直接使用它。",
    ),
    "adapters.base_differs": (
        "The adapter {file} was trained on {base}, whose weights are not those of {other}.",
        "适配器 {file} 是在 {base} 上训练的，其权重与 {other} 不同。",
    ),
    "adapters.base_differs.hint": (
        "Load it on the model it was trained on.",
        "请在训练它的基座模型上加载。",
    ),
    "adapters.template_differs": (
        "The adapter {file} was trained with another chat template.",
        "适配器 {file} 训练时使用了不同的对话模板。",
    ),
    "adapters.template_differs.hint": (
        "Train again, or restore the tokenizer files that the base model had then.",
        "请重新训练，或恢复当时基座模型的分词器文件。",
    ),
    "adapters.unreadable": ("The adapter {file} can't be read: {problem}.", "无法读取适配器 {file}：{problem}。"),
    "adapters.unreadable.hint": (
        "It needs adapter_config.json and adapter_model.safetensors; get it again.",
        "需要 adapter_config.json 与 adapter_model.safetensors，请重新获取。",
    ),
    "adapters.not_low_rank": (
        "The adapter {file} is more than pairs of low-rank matrices: {found}.",
        "适配器 {file} 不只包含低秩矩阵对：{found}。",
    ),
    "adapters.not_low_rank.hint": (
        "It can't share a batch with others: chat, predict and evaluate take it; a server takes it exported with --format merged.",
        "它无法与其他适配器同批运行：chat、predict 与 evaluate 可直接使用；若要部署服务，请先用 --format merged 导出。",
    ),
    "adapters.does_not_fit": (
        "The adapter {name!r} does not fit the model: {module} has {found}, the model needs {expected}.",
        "适配器 {name!r} 与模型不匹配：{module} 为 {found}，模型需要 {expected}。",
    ),
    "adapters.does_not_fit.hint": (
        "Load it on the model it was trained on.",
        "请在训练它的基座模型上加载。",
    ),
    "adapters.not_mixed": (
        "Adapters can't share a batch on {architecture}: the engine runs it through the library's own forward.",
        "{architecture} 由库自带的前向计算运行，适配器无法同批使用。",
    ),
    "adapters.not_mixed.hint": (
        "Merge the adapter into the model instead.",
        "请改为把适配器合并到模型中。",
    ),
    "adapters.no_room": (
        "The adapter {name!r} can't be loaded: those that are pinned fill the memory for adapters.",
        "无法加载适配器 {name!r}：已固定的适配器占满了适配器内存。",
    ),
    "adapters.no_room.hint": (
        "Unpin one, or raise the memory for adapters.",
        "请取消固定某个适配器，或提高适配器的内存上限。",
    ),
    "adapters.over_budget": (
        "The adapter {name!r} takes {bytes} bytes; all adapters together may take {limit}.",
        "适配器 {name!r} 占用 {bytes} 字节，而全部适配器的上限为 {limit} 字节。",
    ),
    "adapters.over_budget.hint": (
        "Raise the memory for adapters, or train it with a smaller rank.",
        "请提高适配器的内存上限，或用更小的秩训练。",
    ),
    "adapters.export_weights": (
        "The format {form} can't store weights as {weights!r}.",
        "格式 {form} 不支持以 {weights!r} 存储权重。",
    ),
    "adapters.export_weights.hint": ("Use one of: {allowed}.", "可用：{allowed}。"),
    "adapters.replay_differs": (
        "{file} does not answer as the adapter did after its training: {agreed} of {tokens} tokens ({share}%) agree, "
        "{same} of {answers} answers are the same; the first difference is in answer {first} (answer:token).",
        "{file} 的回答与适配器训练完成时不一致：{tokens} 个词元中有 {agreed} 个（{share}%）一致，"
        "{answers} 条回答中有 {same} 条相同；首个差异位于 {first}（回答:词元）。",
    ),
    "adapters.replay_differs.hint": (
        "At least {bound}% must agree, so nothing was done with it. Check that the base model is the one of the training; "
        "an export may need more precise weights (--weights f16).",
        "一致率至少须达 {bound}%，因此未继续执行。请确认基座模型与训练时相同；若为导出，可能需要精度更高的权重（--weights f16）。",
    ),
    "adapters.replay_unreadable": (
        "The stored answers {file} can't be read.",
        "无法读取存储的回答 {file}。",
    ),
    "adapters.replay_unreadable.hint": (
        "Get the adapter again, or train it again.",
        "请重新获取该适配器，或重新训练。",
    ),
    "adapters.export_differs": (
        "{file} does not hold what was written to it: {found}.",
        "{file} 的内容与写入时不一致：{found}。",
    ),
    "adapters.export_differs.hint": (
        "Nothing was kept. This is a bug or a failing disk; --format merged writes another format.",
        "未保留任何文件。可能是程序缺陷或磁盘故障；可用 --format merged 写出其他格式。",
    ),
}
