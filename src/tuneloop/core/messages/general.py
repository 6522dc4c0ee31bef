"""Words that every area uses."""

MESSAGES: dict[str, tuple[str, str]] = {
    "general.rows": ("{count} rows", "{count} 行"),
    "general.bug": ("tuneloop failed in a way that it did not foresee: {error}", "tuneloop 出现了未预料的错误：{error}"),
    "general.bug.hint": (
        "This is a bug. Run again with --debug and report the traceback.",
        "这是一个程序缺陷。请加 --debug 重新运行，并把报错信息提交给我们。",
    ),
    "general.interrupted": ("Stopped by Ctrl-C.", "已被 Ctrl-C 中断。"),
    "general.interrupted.hint": (
        "Nothing that was whole is lost. Run the same command again to continue.",
        "已完成的结果不会丢失，再次运行同一命令即可继续。",
    ),
    "general.terminated": ("Stopped by SIGTERM.", "已被 SIGTERM 终止。"),
    "general.terminated.hint": (
        "Nothing that was whole is lost. Run the same command again to continue.",
        "已完成的结果不会丢失，再次运行同一命令即可继续。",
    ),
}
