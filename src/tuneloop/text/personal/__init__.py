"""Personal data and secrets in a text: found, and replaced. Text in, text out; no files.

    from tuneloop.text.personal.mask import mask_text
    mask_text("我的手机号是13812345678", language="zh", mode="tag").text      # 我的手机号是<PHONE_1>

`view` folds what hides a number, `recognisers` is the table of what is found, `find` finds, `mask` replaces, `stand_ins`
holds what pseudonyms are made of.
"""
