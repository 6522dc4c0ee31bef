"""What the registry says: names, versions, aliases."""

MESSAGES: dict[str, tuple[str, str]] = {
    "registry.name_invalid": ("{name!r} can't name an adapter.", "{name!r} 不能用作适配器名称。"),
    "registry.name_invalid.hint": (
        "A name is 1 to 64 letters, digits, dots, dashes and underscores, and starts with a letter or digit; "
        "a version or an alias follows after @, as in bank-service@v0003.",
        "名称由 1 到 64 个字母、数字、点、连字符或下划线组成，以字母或数字开头；版本或别名写在 @ 之后，如 bank-service@v0003。",
    ),
    "registry.name_reserved": ("The name {name} is reserved.", "名称 {name} 是保留名称。"),
    "registry.name_reserved.hint": (
        "`base` means no adapter and `auto` the router's choice. Choose another name.",
        "base 表示不使用适配器，auto 表示由路由自动选择。请换一个名称。",
    ),
    "registry.alias_invalid": ("{alias!r} can't be a version or an alias.", "{alias!r} 不能用作版本或别名。"),
    "registry.alias_invalid.hint": (
        "A version is v and a number (v0003); an alias starts with a letter and holds letters, digits, dashes and "
        "underscores (production).",
        "版本写作 v 加数字（v0003）；别名以字母开头，由字母、数字、连字符或下划线组成（production）。",
    ),
    "registry.adapter_unknown": ("There is no adapter named {name}.", "没有名为 {name} 的适配器。"),
    "registry.adapter_unknown.hint": (
        "Known here: {known}. `tuneloop run RECIPE` makes and registers one; --workspace chooses another workspace.",
        "此处已有：{known}。用 tuneloop run 配方 可训练并登记一个；用 --workspace 可指定其他工作区。",
    ),
    "registry.adapter_unknown_near": ("There is no adapter named {name}.", "没有名为 {name} 的适配器。"),
    "registry.adapter_unknown_near.hint": (
        "Did you mean {near}? Known here: {known}.",
        "是否想写 {near}？此处已有：{known}。",
    ),
    "registry.version_unknown": ("{name} has no version {version}.", "{name} 没有版本 {version}。"),
    "registry.version_unknown.hint": ("Its versions are: {known}.", "已有版本：{known}。"),
    "registry.alias_unknown": ("{name} has no alias {alias}.", "{name} 没有别名 {alias}。"),
    "registry.alias_unknown.hint": (
        "Its aliases are: {known}. A version is written {name}@v0001.",
        "已有别名：{known}。版本的写法是 {name}@v0001。",
    ),
    "registry.busy": (
        "Another process has been registering a version of {name} for {seconds} seconds.",
        "另一个进程正在登记 {name} 的版本，已等待 {seconds} 秒。",
    ),
    "registry.busy.hint": (
        "Wait for it to finish, then run the same command again.",
        "请等待其完成后再次运行同一命令。",
    ),
    "registry.gate_refused": (
        "The gate does not let {label} become {alias}:\n{reasons}",
        "{label} 未通过准入，不能成为 {alias}：\n{reasons}",
    ),
    "registry.gate_refused.hint": (
        "Nothing was changed. Train or evaluate again, or change the rules under register.gate in the recipe.",
        "未做任何更改。请重新训练或评估，或修改配方中 register.gate 的规则。",
    ),
    "registry.nothing_before": (
        "{name}@{alias} can't be rolled back: nothing served before it.",
        "{name}@{alias} 无法回滚：此前没有其他版本。",
    ),
    "registry.nothing_before.hint": (
        "`tuneloop adapters list` shows the versions; `tuneloop adapters promote {name}@v0001` moves the alias.",
        "用 tuneloop adapters list 查看各版本，用 tuneloop adapters promote {name}@v0001 移动别名。",
    ),
}
