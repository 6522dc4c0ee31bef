"""What the gate says: one message for a rule that passes, one for a veto; `evaluation.py` takes them in."""

MESSAGES: dict[str, tuple[str, str]] = {
    "evaluation.gate_adapter": ("The evaluation judged this adapter.", "评估针对的正是此适配器。"),
    "evaluation.gate_adapter_failed": (
        "The evaluation judged another adapter: evaluate this version first.",
        "评估针对的是另一个适配器：请先评估此版本。",
    ),
    "evaluation.gate_evaluated_failed": (
        "{label} was never evaluated: run `tuneloop evaluate` first.",
        "{label} 从未评估：请先运行 tuneloop evaluate。",
    ),
    "evaluation.gate_leak": ("No test question was trained on.", "没有测试问题出现在训练数据中。"),
    "evaluation.gate_leak_failed": (
        "{count} test questions were trained on: the figures prove nothing.",
        "{count} 个测试问题出现在训练数据中：结果不能作为证明。",
    ),
    "evaluation.gate_compared_failed": (
        "The tuned model was compared with nothing.",
        "微调后模型没有与任何对照组比较。",
    ),
    "evaluation.gate_headline": (
        "{metric} is proven better than {baseline}: {difference} ({low} to {high}).",
        "{metric}经证明优于{baseline}：{difference}（{low} 至 {high}）。",
    ),
    "evaluation.gate_headline_failed": (
        "{metric} is not proven better than {baseline}: {difference} ({low} to {high}).",
        "{metric}未能证明优于{baseline}：{difference}（{low} 至 {high}）。",
    ),
    "evaluation.gate_not_worse": (
        "{metric} does not lose {margin} or more against {baseline}: {difference} ({low} to {high}).",
        "{metric}与{baseline}相比没有下降 {margin}或以上：{difference}（{low} 至 {high}）。",
    ),
    "evaluation.gate_not_worse_failed": (
        "{metric} may lose {margin} or more against {baseline}: {difference} ({low} to {high}).",
        "{metric}与{baseline}相比可能下降 {margin}或以上：{difference}（{low} 至 {high}）。",
    ),
    "evaluation.gate_gain": (
        "{metric} gains at least {gain} over {baseline}: {difference} ({low} to {high}).",
        "{metric}比{baseline}至少提高 {gain}：{difference}（{low} 至 {high}）。",
    ),
    "evaluation.gate_gain_failed": (
        "{metric} must gain at least {gain} over {baseline}, and that is not proven: {difference} ({low} to {high}).",
        "要求{metric}比{baseline}至少提高 {gain}，未能证明：{difference}（{low} 至 {high}）。",
    ),
    "evaluation.gate_minimum": ("{metric} is {value}, at least {least}.", "{metric}为 {value}，达到 {least}。"),
    "evaluation.gate_minimum_failed": (
        "{metric} is {value}; at least {least} is required.",
        "{metric}为 {value}，要求至少 {least}。",
    ),
    "evaluation.gate_stop_rate": (
        "Answers end by themselves as before ({difference} against {baseline}).",
        "回答仍能自行结束（与{baseline}相比 {difference}）。",
    ),
    "evaluation.gate_stop_rate_failed": (
        "Fewer answers end by themselves: {difference} against {baseline}; at most {limit} may be lost.",
        "自行结束的回答减少：与{baseline}相比 {difference}，最多允许下降 {limit}。",
    ),
    "evaluation.gate_rule": (
        "Rule {rule} is kept by {value} (before: {before}).",
        "规则 {rule} 遵守率 {value}（此前 {before}）。",
    ),
    "evaluation.gate_rule_failed": (
        "Rule {rule} is broken more often: kept by {value}, before by {before}.",
        "规则 {rule} 违反增多：遵守率 {value}，此前 {before}。",
    ),
    "evaluation.gate_probe": ("{name}: loss {loss}, allowed {limit}.", "{name}：损失 {loss}，允许 {limit}。"),
    "evaluation.gate_probe_failed": (
        "{name}: loss {loss}; at most {limit} is allowed.",
        "{name}：损失 {loss}，最多允许 {limit}。",
    ),
    "evaluation.gate_latency": (
        "The first token comes within {value} ms (p95; limit {limit}).",
        "首 token 在 {value} 毫秒内（p95，上限 {limit}）。",
    ),
    "evaluation.gate_latency_failed": (
        "The first token takes {value} ms (p95); at most {limit} are allowed.",
        "首 token 需要 {value} 毫秒（p95），最多允许 {limit}。",
    ),
    "evaluation.gate_measured_failed": (
        "{what} must be measured and was not.",
        "要求测量“{what}”，但没有测量。",
    ),
    "evaluation.probe.forgetting": ("Forgetting", "遗忘"),
    "evaluation.probe.privacy": ("Privacy", "隐私"),
    "evaluation.probe.latency": ("Latency", "延迟"),
}
