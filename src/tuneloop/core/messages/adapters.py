"""What the adapters area says."""

MESSAGES: dict[str, tuple[str, str]] = {
    "adapters.no_target": (
        "The model has no linear layers named {targets}.",
        "模型中没有名为 {targets} 的线性层。",
    ),
    "adapters.no_target.hint": (
        "Use adapter.target_modules: all-linear, or some of: {found}.",
        "请使用 adapter.target_modules: all-linear，或从中选择：{found}。",
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
}
