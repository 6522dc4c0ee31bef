"""What access control says: keys, roles, limits."""

MESSAGES: dict[str, tuple[str, str]] = {
    "access.key_missing": ("This server wants an API key.", "本服务需要 API 密钥。"),
    "access.key_missing.hint": (
        "Send the header Authorization: Bearer KEY. An administrator makes keys with tuneloop keys create.",
        "请发送请求头 Authorization: Bearer KEY。管理员可用 tuneloop keys create 创建密钥。",
    ),
    "access.key_invalid": ("The API key is not valid.", "API 密钥无效。"),
    "access.key_invalid.hint": (
        "It is mistyped, revoked or expired. tuneloop keys list shows which ones are valid.",
        "密钥可能输入有误、已吊销或已过期。tuneloop keys list 可查看有效的密钥。",
    ),
    "access.not_allowed": ("This key (role {role}) is not allowed: {verb}.", "该密钥（角色 {role}）无权执行：{verb}。"),
    "access.not_allowed.hint": (
        "Use a key that is allowed to; tuneloop keys list shows roles and scopes.",
        "请使用有相应权限的密钥；tuneloop keys list 可查看角色与权限范围。",
    ),
    "access.key_unknown": ("There is no key with the id {id}.", "没有编号为 {id} 的密钥。"),
    "access.key_unknown.hint": ("tuneloop keys list shows them.", "tuneloop keys list 可列出全部密钥。"),
    "access.verb_unknown": ("The role {role} has no scope {verb}.", "角色 {role} 没有权限 {verb}。"),
    "access.verb_unknown.hint": ("It has: {known}.", "可选：{known}。"),
    "access.not_positive": ("{name} is {value}.", "{name} 为 {value}。"),
    "access.not_positive.hint": ("Give a number above zero, or leave it out.", "请给出大于零的数，或省略该项。"),
    "access.created": (
        "Key {id} ({role}). It is shown once and can't be had again:",
        "密钥 {id}（{role}）。仅显示这一次，之后无法再次查看：",
    ),
    "access.revoked": ("Key {id} is revoked.", "密钥 {id} 已吊销。"),
    "access.state.valid": ("valid", "有效"),
    "access.state.revoked": ("revoked", "已吊销"),
    "access.state.expired": ("expired", "已过期"),
}
