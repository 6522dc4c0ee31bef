"""What the store says: the workspace, artifacts, the database."""

MESSAGES: dict[str, tuple[str, str]] = {
    "store.settings": (
        "The workspace settings can't be read: {problem}.",
        "工作区设置无法读取：{problem}。",
    ),
    "store.settings.hint": (
        "Allowed settings are database (a URL) and language (en or zh).",
        "允许的设置只有 database（数据库 URL）和 language（en 或 zh）。",
    ),
    "store.disk_full": ("The disk has no room left below {file}.", "{file} 所在磁盘空间不足。"),
    "store.disk_full.hint": (
        "Free some space and run the same command again; what was whole before is untouched.",
        "请释放磁盘空间后再次运行同一命令；此前完整的结果没有受到影响。",
    ),
    "store.disk_fails": (
        "The disk below {file} reports an input/output error.",
        "{file} 所在磁盘报告输入/输出错误。",
    ),
    "store.disk_fails.hint": (
        "Look at the disk (dmesg, smartctl), then run the same command again; what was whole before is untouched.",
        "请检查磁盘（dmesg、smartctl），然后再次运行同一命令；此前完整的结果没有受到影响。",
    ),
    "store.locked": (
        "Process {pid} is working on {file}.",
        "进程 {pid} 正在处理 {file}。",
    ),
    "store.locked.hint": (
        "Wait until it has finished, or stop it; a process that was killed holds no lock.",
        "请等待其结束或将其停止；被杀死的进程不会占用锁。",
    ),
    "store.not_found": ("There is no finished artifact at {file}.", "{file} 处没有已完成的结果。"),
    "store.not_found.hint": (
        "Check the name, or run the stage that makes it; unfinished work has no manifest.json.",
        "请检查名称，或先运行产生它的阶段；未完成的结果没有 manifest.json。",
    ),
    "store.manifest_unreadable": ("The manifest {file} can't be read.", "清单文件 {file} 无法读取。"),
    "store.manifest_unreadable.hint": (
        "The folder was damaged. Remove it and make it again.",
        "该文件夹已损坏，请删除后重新生成。",
    ),
    "store.file_differs": ("{file} is not what its manifest says.", "{file} 与清单记录不一致。"),
    "store.file_differs.hint": (
        "The file was changed, damaged or removed. Make the folder again, or restore the file from a copy.",
        "文件被修改、损坏或删除。请重新生成该文件夹，或从备份恢复此文件。",
    ),
    "store.sample_unreadable": ("Line {row} of {file} is no sample.", "{file} 第 {row} 行不是有效的样本。"),
    "store.sample_unreadable.hint": (
        "The dataset was changed by hand or damaged. Run `tuneloop data prepare` again with --force.",
        "数据集被手工修改或已损坏。请加 --force 重新运行 tuneloop data prepare。",
    ),
    "store.workspace_impossible": (
        "No folder can be made at {file}: {problem}.",
        "无法在 {file} 处创建文件夹：{problem}。",
    ),
    "store.workspace_impossible.hint": (
        "Name another folder for the workspace, new or existing.",
        "请为工作区指定其他文件夹，可以是新的。",
    ),
    "store.workspace_is_file": ("{file} is a file; a workspace is a folder.", "{file} 是文件；工作区应为文件夹。"),
    "store.workspace_is_file.hint": (
        "Name a folder with --workspace; it is made if it is missing.",
        "请用 --workspace 指定文件夹；不存在时会自动创建。",
    ),
    "store.not_writable": ("{file} can't be written.", "{file} 无法写入。"),
    "store.not_writable.hint": (
        "Give yourself the right to write there, or choose another place with --workspace.",
        "请获取该位置的写权限，或用 --workspace 指定其他位置。",
    ),
    "store.database_busy": (
        "The database {file} has been held by another process for {seconds} seconds.",
        "数据库 {file} 已被其他进程占用 {seconds} 秒。",
    ),
    "store.database_busy.hint": (
        "Wait for the other tuneloop to finish, then run the same command again.",
        "请等待另一个 tuneloop 结束后再运行同一命令。",
    ),
    "store.database_away": ("The database at {place} does not answer.", "位于 {place} 的数据库没有响应。"),
    "store.database_away.hint": (
        "Check that its server runs and can be reached, then run the same command again.",
        "请确认数据库服务正在运行且可以访问，然后再次运行同一命令。",
    ),
    "store.database_damaged": (
        "The database {file} is damaged, or no database.",
        "数据库 {file} 已损坏，或不是数据库文件。",
    ),
    "store.database_damaged.hint": (
        "Restore it from a copy. Adapters, runs and datasets stand in their own folders and are not affected.",
        "请从备份恢复。适配器、训练和数据集保存在各自的文件夹中，没有受到影响。",
    ),
    "store.database_newer": (
        "The database {file} has schema {found}; this tuneloop knows up to {known}.",
        "数据库 {file} 的结构版本为 {found}，当前 tuneloop 最高支持 {known}。",
    ),
    "store.database_newer.hint": (
        "A newer tuneloop wrote it: install that version or a newer one.",
        "它由更新版本的 tuneloop 写入，请安装该版本或更新的版本。",
    ),
    "store.database_url": ("The database URL {url} can't be used: {problem}", "数据库 URL {url} 无法使用：{problem}"),
    "store.database_url.hint": (
        "Correct `database` in tuneloop.yaml, or remove it: then SQLite in the workspace is used.",
        "请修改 tuneloop.yaml 中的 database，或将其删除以使用工作区内的 SQLite。",
    ),
    "store.key_unreadable": ("{file} holds no key.", "{file} 中没有有效的密钥。"),
    "store.key_unreadable.hint": (
        "Restore it from a copy. If there is none, remove it: a new key is made, and values get other pseudonyms.",
        "请从备份恢复。如果没有备份，请删除该文件：系统会生成新密钥，同一个值将得到不同的假名。",
    ),
    "store.vault_key_missing": (
        "The vault needs a key, and {variable} is not set.",
        "保险库需要密钥，但未设置 {variable}。",
    ),
    "store.vault_key_missing.hint": (
        "Make one with `python -c 'from tuneloop.store.vault import new_vault_key; print(new_vault_key())'`, keep it outside "
        "the workspace, and set the variable; or set data.mask.vault to false.",
        "请运行 python -c 'from tuneloop.store.vault import new_vault_key; print(new_vault_key())' 生成密钥，"
        "保存在工作区之外并设置该变量；或将 data.mask.vault 设为 false。",
    ),
    "store.vault_key": ("This is no key of a vault.", "这不是有效的保险库密钥。"),
    "store.vault_key.hint": (
        "A key is 32 bytes in URL-safe base64 (44 characters), as new_vault_key() makes it.",
        "密钥是 32 字节的 URL 安全 base64 文本（44 个字符），由 new_vault_key() 生成。",
    ),
    "store.vault_key_differs": (
        "The vault {file} was not written with this key, or was changed.",
        "保险库 {file} 不是用此密钥写入的，或已被修改。",
    ),
    "store.vault_key_differs.hint": (
        "Use the key that it was made with, or restore the file. Without the key nobody can read it.",
        "请使用创建时的密钥，或恢复该文件。没有密钥，任何人都无法读取。",
    ),
    "store.vault_unreadable": ("The vault {file} is damaged.", "保险库 {file} 已损坏。"),
    "store.vault_unreadable.hint": ("Restore it from a copy.", "请从备份恢复。"),
}
