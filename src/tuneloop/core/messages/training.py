"""What the training says: reasons of the plan, errors, the report; `training_checks.py` adds the pre-flight."""

from tuneloop.core.messages.training_checks import MESSAGES as CHECK_MESSAGES

MESSAGES: dict[str, tuple[str, str]] = {
    "training.why.recipe": ("set in the recipe", "配方中指定"),
    "training.why.default": ("the default", "默认值"),
    "training.why.guide": ("the guide's conservative set", "指南的保守取值"),
    "training.why.rank": (
        "enough room for {supervised} supervised tokens at this model size",
        "按模型规模，足以容纳 {supervised} 个监督词元",
    ),
    "training.why.method": ("usual for {method}", "{method} 的常用取值"),
    "training.why.alpha": (
        "fixed, so that the learning rate does not depend on the rank",
        "固定取值，使学习率与秩无关",
    ),
    "training.why.rate": (
        "LoRA wants about ten times full fine-tuning's rate; prior for hidden size {hidden}",
        "LoRA 需要约 10 倍于全量微调的学习率；按隐藏维度 {hidden} 的先验取值",
    ),
    "training.why.rate_found": (
        "the lowest validation loss of the rates from {planned:.2g} / 4 to {planned:.2g} × 4, tried for {steps} steps, the "
        "best two for twice as many",
        "在 {planned:.2g} 的 1/4 至 4 倍之间试训，各 {steps} 步，最优两个再训两倍步数，取验证损失最低者",
    ),
    "training.why.rate_not_tried": (
        "the prior: there are no validation rows to choose a rate by",
        "先验取值：没有验证数据，无法比较学习率",
    ),
    "training.rate_tried": (
        "Learning rate {rate:.2g}: validation loss {loss:.4f}",
        "学习率 {rate:.2g}：验证损失 {loss:.4f}",
    ),
    "training.why.epochs": ("{rows} rows; early stopping ends it sooner", "共 {rows} 行；验证损失不降时提前停止"),
    "training.why.budget": ("small updates learn more per second", "小批量更新单位时间学得更多"),
    "training.why.token_budget": ("a token budget is used instead", "改用词元预算"),
    "training.why.batch_size": ("a batch size is used instead", "改用固定批大小"),
    "training.why.accumulation": ("the micro-batch fits as it is", "放得下，无需累积"),
    "training.why.budget_fits": (
        "memory: the usual budget would need {needed:.1f} GB of the {free:.1f} GB that are free",
        "受内存限制：常用取值需 {needed:.1f} GB，可用 {free:.1f} GB",
    ),
    "training.why.accumulation_fits": (
        "so that an update still sees {tokens} tokens",
        "使每次更新仍覆盖 {tokens} 个词元",
    ),
    "training.why.no_checkpointing": (
        "not needed: about {needed:.1f} GB of the {free:.1f} GB that are free",
        "无需：约用 {needed:.1f} GB，可用 {free:.1f} GB",
    ),
    "training.why.checkpointing": (
        "without it {wish:.1f} GB would be needed, and {free:.1f} GB are free; with it {needed:.1f} GB",
        "否则需 {wish:.1f} GB，而可用 {free:.1f} GB；启用后约需 {needed:.1f} GB",
    ),
    "training.why.none": (
        "the weights take {weights:.1f} GB as they are",
        "原始权重占 {weights:.1f} GB",
    ),
    "training.why.nf4": (
        "the weights would take {weights:.1f} GB of {free:.1f} GB as they are",
        "原始权重需 {weights:.1f} GB，而可用内存（显存）共 {free:.1f} GB",
    ),
    "training.why.dtype_here": (
        "what the model was loaded in for {machine} (`tuneloop doctor` says why)",
        "模型在 {machine} 上加载所用的类型（原因见 tuneloop doctor）",
    ),
    "training.why.dtype_device": ("what {machine} computes fastest in", "{machine} 计算最快的类型"),
    "training.why.save": (
        "with every evaluation, {most} at most: so much is lost when the machine stops",
        "随每次验证保存，最多间隔 {most} 步：机器中断时最多损失这些",
    ),
    "training.why.length": ("the longest sample has {longest} tokens", "最长样本为 {longest} 个词元"),
    "training.why.decay": ("the adapter is small, and the best one is kept", "适配器很小，且保留最优检查点"),
    "training.why.steps": ("epochs × batches of an epoch", "轮次 × 每轮批数"),
    "training.why.warmup": ("5% of {steps} steps, then linear decay to zero", "{steps} 步的 5%，之后线性衰减到零"),
    "training.why.warmup_guide": (
        "the guide's 500 steps, scaled down: the run has only {steps} and would never reach its rate",
        "指南为 500 步；本次仅 {steps} 步，已按比例缩小，否则达不到设定学习率",
    ),
    "training.why.eval": ("about eight evaluations in the run", "全程约 8 次验证"),
    "training.why.validation_all": ("the whole validation split", "使用全部验证集"),
    "training.why.validation_part": (
        "a seeded part of the validation split, so that evaluations take at most a tenth of the time",
        "抽取部分验证集，使验证耗时不超过十分之一",
    ),
    "training.building_kernels": (
        "Building the C++ kernels, once for this machine …",
        "正在为本机编译 C++ 算子（仅一次）…",
    ),
    "training.kernels_not_built": (
        "The C++ kernels could not be built ({problem}); torch does their work, with the same results, slower.",
        "C++ 算子编译失败（{problem}）；改用 torch，结果相同，速度较慢。",
    ),
    "training.refused": ("The pre-flight refuses this run: {reasons}.", "预检拒绝本次训练：{reasons}。"),
    "training.refused.hint": (
        "What to do: {fixes}. --force runs it all the same.",
        "处理办法：{fixes}。--force 可强制运行。",
    ),
    "training.device_unknown": (
        "There is no device {name} in the table.",
        "设备表中没有 {name}。",
    ),
    "training.measure_elsewhere": (
        "A step can't be tried on {device}: that machine is not here.",
        "无法在 {device} 上试跑：该设备不在本机。",
    ),
    "training.measure_elsewhere.hint": (
        "Leave out --measure or --device.",
        "请去掉 --measure 或 --device。",
    ),
    "training.device_unknown.hint": ("Choose one of these: {known}.", "请从中选择：{known}。"),
    "training.two_budgets": (
        "The recipe sets both training.max_tokens_per_batch and training.per_device_train_batch_size.",
        "配方同时设置了 training.max_tokens_per_batch 和 training.per_device_train_batch_size。",
    ),
    "training.two_budgets.hint": ("Keep one of the two.", "请只保留其一。"),
    "training.no_rows": ("The dataset {file} has no {split} rows.", "数据集 {file} 的 {split} 部分为空。"),
    "training.no_rows.hint": (
        "Give more rows, or change data.split so that each split gets some.",
        "请增加数据，或调整 data.split 让每个部分都有数据。",
    ),
    "training.architecture": (
        "Models of type {architecture} can't be trained yet: their attention or head is computed in a way of its own.",
        "暂不支持训练 {architecture} 类型的模型：其注意力或输出层的计算方式特殊。",
    ),
    "training.architecture.hint": (
        "Choose a Llama, SmolLM, Mistral, Qwen or Gemma model (`tuneloop models list`).",
        "请选择 Llama、SmolLM、Mistral、Qwen 或 Gemma 模型（tuneloop models list）。",
    ),
    "training.diverged": (
        "Training diverged at step {step}: the {what} is {value}, after {attempts} attempts with a lower rate. "
        "Samples of that step: {samples}.",
        "训练在第 {step} 步发散：{what} 为 {value}，已降低学习率重试 {attempts} 次。该步样本：{samples}。",
    ),
    "training.diverged.hint": (
        "Lower training.learning_rate (now {rate:g}), and look at these samples; report.html in {file} shows the curves, "
        "and the last checkpoint is whole.",
        "请降低 training.learning_rate（当前 {rate:g}），并检查这些样本；{file} 中的 report.html 有损失曲线，最近的检查点完好。",
    ),
    "training.leaves_out": (
        "Step {step} is left out: its {what} is {value}. Samples: {samples}",
        "跳过第 {step} 步：{what} 为 {value}。样本：{samples}",
    ),
    "training.rolls_back": (
        "The {what} rose to {value:.4g} at step {step}: back to step {back_to}, steps {first}–{last} are left out, half the "
        "learning rate (attempt {attempt} of {attempts}).",
        "第 {step} 步的 {what} 升至 {value:.4g}：回到第 {back_to} 步，跳过第 {first}–{last} 步，学习率减半"
        "（第 {attempt} 次，最多 {attempts} 次）。",
    ),
    "training.shrinks": (
        "Memory ran out in step {step}: micro-batches of at most {tokens} tokens from now on; the optimiser's batch stays.",
        "第 {step} 步内存不足：此后每个微批最多 {tokens} 个词元；优化器的批不变。",
    ),
    "training.shrinks_evaluation": (
        "Memory ran out in an evaluation: passes of at most {tokens} tokens from now on.",
        "验证时内存不足：此后每次前向最多 {tokens} 个词元。",
    ),
    "training.processes": ("{processes} processes share every step.", "{processes} 个进程分担每一步。"),
    "training.processes_method": (
        "The method {method} can't be trained by several processes: it changes its own shape from step to step.",
        "方法 {method} 不能由多个进程训练：它的结构会逐步改变。",
    ),
    "training.processes_method.hint": (
        "Train it with one process (tuneloop train), or choose another adapter.method, such as lora.",
        "请用单进程训练（tuneloop train），或另选 adapter.method，例如 lora。",
    ),
    "training.processes_environment": (
        "WORLD_SIZE asks for several processes, but they cannot find each other: {problem}",
        "WORLD_SIZE 要求多个进程，但它们无法互相找到：{problem}",
    ),
    "training.processes_environment.hint": (
        "Start them with torchrun --nproc-per-node 2 -m tuneloop train RECIPE, or unset WORLD_SIZE to train with one.",
        "请用 torchrun --nproc-per-node 2 -m tuneloop train RECIPE 启动，或取消 WORLD_SIZE 以单进程训练。",
    ),
    "training.process_lost": (
        "Another process of this training is gone: {problem}",
        "本次训练的另一个进程已不在：{problem}",
    ),
    "training.process_lost.hint": (
        "What ended it stands above, in its own message. Start the same command again: it goes on from the newest "
        "checkpoint, also with another number of processes.",
        "其结束原因见上方该进程自己的消息。请重新运行同一命令：会从最新检查点继续，进程数也可以不同。",
    ),
    "training.process_differs": (
        "Process {rank} trains from other inputs than process 0: {difference}",
        "进程 {rank} 的训练输入与进程 0 不同：{difference}",
    ),
    "training.process_differs.hint": (
        "Give every process the same recipe, data folder, model and kind of device.",
        "请让所有进程使用相同的配方、数据目录、模型和设备类型。",
    ),
    "training.memory": (
        "Memory ran out in step {step}, although the micro-batch is a single sample ({sample}, {tokens} tokens).",
        "第 {step} 步内存不足，微批已只有一个样本（{sample}，{tokens} 个词元）。",
    ),
    "training.memory.hint": (
        "Free some memory and run again: it goes on from the checkpoint just saved. Or lower training.max_length below "
        "{tokens}, or choose a smaller model.",
        "请释放内存后重新运行：会从刚保存的检查点继续。或将 training.max_length 调到 {tokens} 以下，或换更小的模型。",
    ),
    "training.memory_evaluation": (
        "Memory ran out in an evaluation of one sample ({tokens} tokens).",
        "验证单个样本（{tokens} 个词元）时内存不足。",
    ),
    "training.memory_evaluation.hint": (
        "Free some memory and run again: it goes on from the checkpoint just saved.",
        "请释放内存后重新运行：会从刚保存的检查点继续。",
    ),
    "training.memory_budget": (
        "The next micro-batch needs {needed:.2f} GB more, and {free:.2f} GB are left.",
        "下一个微批还需 {needed:.2f} GB，而可用内存只有 {free:.2f} GB。",
    ),
    "training.memory_budget.hint": (
        "Lower training.max_tokens_per_batch.",
        "请减小 training.max_tokens_per_batch。",
    ),
    "training.overfits": (
        "At step {step} the validation loss is {rise:.1%} above its best while the training loss falls: the run overfits. "
        "The best adapter is kept. Remedies: fewer epochs, adapter.lora_dropout 0.1–0.3, training.weight_decay 0.01, "
        "more data.",
        "第 {step} 步的验证损失比最低点高 {rise:.1%}，而训练损失仍在下降：出现过拟合。已保留最优适配器。"
        "办法：减少轮次、adapter.lora_dropout 0.1–0.3、training.weight_decay 0.01、增加数据。",
    ),
    "training.smoothing_softcap": (
        "training.label_smoothing_factor does not work with this model: its logits are capped.",
        "该模型限制了 logits 的范围，不支持 training.label_smoothing_factor。",
    ),
    "training.smoothing_softcap.hint": (
        "Set it to 0, or choose another model.",
        "请设为 0，或换用其他模型。",
    ),
    "training.tracker_missing": (
        "The tracker {name} is not installed.",
        "未安装跟踪工具 {name}。",
    ),
    "training.tracker_missing.hint": (
        "Install it with pip install '{package}', or take it out of training.report_to. Installed here: {installed}.",
        "请用 pip install '{package}' 安装，或从 training.report_to 中去掉。此处已安装：{installed}。",
    ),
    "training.resume_differs": (
        "The unfinished run {file} was begun with other inputs: {difference}.",
        "未完成的训练 {file} 的输入不同：{difference}。",
    ),
    "training.resume_differs.hint": (
        "Begin a new run with --no-resume, undo the change, or go on all the same with --resume --force (the run is marked).",
        "请用 --no-resume 开始新的训练，或撤销改动；也可用 --resume --force 强制继续（会在训练中注明）。",
    ),
    "training.resume_shapes": (
        "The checkpoint {file} holds an adapter of another shape.",
        "检查点 {file} 中的适配器形状不同。",
    ),
    "training.resume_shapes.hint": (
        "Rank and adapted layers can't change within a run: begin a new one with --no-resume.",
        "同一训练中不能更改秩和目标层：请用 --no-resume 开始新的训练。",
    ),
    "training.resume_schedule": (
        "The checkpoint {file} belongs to another order of the samples.",
        "检查点 {file} 对应的样本顺序不同。",
    ),
    "training.resume_schedule.hint": (
        "Another version of tuneloop began this run: use that one, begin anew with --no-resume, or --resume --force.",
        "该训练由其他版本的 tuneloop 开始：请使用该版本，或用 --no-resume 重新开始，或加 --resume --force。",
    ),
    "training.forced": (
        "Going on although these inputs changed: {difference}. The run is marked.",
        "输入已变化但仍继续：{difference}。训练中已注明。",
    ),
    "training.nothing_to_resume": ("There is no unfinished run of this recipe.", "该配方没有未完成的训练。"),
    "training.nothing_to_resume.hint": (
        "Run `tuneloop train` without --resume.",
        "请去掉 --resume 运行 tuneloop train。",
    ),
    "training.skipped_checkpoint": ("Checkpoint {name} is passed over: {reason}", "跳过检查点 {name}：{reason}"),
    "training.resumed": ("Resuming at step {step} of {steps}.", "从第 {step} 步（共 {steps} 步）继续。"),
    "training.early_stop": (
        "Stopped early at step {step}: no lower validation loss in {patience} evaluations.",
        "第 {step} 步提前停止：连续 {patience} 次验证损失未下降。",
    ),
    "training.label": ("Training", "训练"),
    "training.report.title": ("Training {name}", "训练 {name}"),
    "training.report.curves": ("Loss curves", "损失曲线"),
    "training.report.training": ("training loss", "训练损失"),
    "training.report.validation": ("validation loss", "验证损失"),
    "training.report.step": ("optimiser step", "优化步数"),
    "training.report.loss": ("loss (nats per token)", "损失（每词元 nat）"),
    "training.report.rate": ("learning rate", "学习率"),
    "training.report.norm": ("gradient norm", "梯度范数"),
    "training.report.memory": ("memory (bytes)", "内存（字节）"),
    "training.report.step_short": ("step", "步"),
    "training.report.decision": ("what the run decided by itself", "训练自行作出的决定"),
    "training.report.smaller_training": (
        "memory ran out: micro-batches of at most {tokens} tokens",
        "内存不足：微批最多 {tokens} 个词元",
    ),
    "training.report.smaller_evaluation": (
        "memory ran out in the evaluation: passes of at most {tokens} tokens",
        "验证时内存不足：每次前向最多 {tokens} 个词元",
    ),
    "training.report.rollback_spike": (
        "loss spike: back to step {back_to}, steps {first}–{last} left out, half the rate",
        "损失突增：回到第 {back_to} 步，跳过第 {first}–{last} 步，学习率减半",
    ),
    "training.report.rollback_not_finite": (
        "values not finite: back to step {back_to}, steps {first}–{last} left out, half the rate",
        "数值非有限：回到第 {back_to} 步，跳过第 {first}–{last} 步，学习率减半",
    ),
    "training.report.speed": ("tokens per second", "每秒词元数"),
    "training.report.plan": ("Plan", "计划"),
    "training.report.setting": ("setting", "设置"),
    "training.report.value": ("value", "取值"),
    "training.report.reason": ("reason", "理由"),
    "training.report.checks": ("Pre-flight", "预检"),
    "training.report.check": ("check", "检查项"),
    "training.report.status": ("result", "结果"),
    "training.report.message": ("finding", "说明"),
    "training.report.fix": ("what to do", "处理办法"),
    "training.report.summary": ("Result", "结果"),
    "training.report.best": (
        "Best validation loss {loss:.4f} at step {step} of {steps}; {seconds:.0f} s, "
        "{speed:.0f} tokens per second, peak {memory:.1f} GB.",
        "最优验证损失 {loss:.4f}（第 {step} 步，共 {steps} 步）；"
        "用时 {seconds:.0f} 秒，每秒 {speed:.0f} 词元，峰值内存 {memory:.1f} GB。",
    ),
    "training.report.overfit": (
        "Validation loss rose by {rise:.1%} after its best point while training loss fell: the run overfits. "
        "Remedies: fewer epochs, adapter.lora_dropout 0.1–0.3, training.weight_decay 0.01, more data.",
        "验证损失自最低点上升 {rise:.1%}，训练损失仍在下降：出现过拟合。"
        "办法：减少轮次、adapter.lora_dropout 0.1–0.3、training.weight_decay 0.01、增加数据。",
    ),
    **CHECK_MESSAGES,
}
