# SPDX-License-Identifier: MIT
# Statements about emitted code: redoubt_emitted_test(<name> [RED] same|differ|count|absent <arguments of emitted.py>).

set(emitted "${CMAKE_CURRENT_LIST_DIR}")

redoubt_emitted_test(emitted.barrier_keeps_both_copies count --file "${emitted}/barrier.cpp" --flag=-O2
    --symbol "^fenced" --pattern "\\bimul\\b" --min 2 --max 2)
redoubt_emitted_test(emitted.barrier_mutant RED count --file "${emitted}/barrier.cpp" --flag=-O2
    --flag=-DREDOUBT_MUTANT=1 --symbol "^fenced" --pattern "\\bimul\\b" --min 2 --max 2)

# The harness itself: equal loops in different functions are equal, one comparison more is noticed.
set(twins --file "${emitted}/twins.cpp" --flag=-O2 --flag=-ffp-contract=off)
redoubt_emitted_test(emitted.self_same_loop same ${twins} --symbol "^dot_one" --symbol-b "^dot_two"
    --loop "fma|call" --any-register)
redoubt_emitted_test(emitted.self_other_end differ ${twins} --symbol "^dot_one" --symbol-b "^dot_two")
redoubt_emitted_test(emitted.self_other_loop differ ${twins} --symbol "^dot_one" --symbol-b "^dot_checked"
    --loop "fma|call" --any-register)
redoubt_emitted_test(emitted.self_red RED same ${twins} --symbol "^dot_one" --symbol-b "^dot_checked"
    --loop "fma|call" --any-register)
redoubt_emitted_test(emitted.self_flags same ${twins} --symbol "^dot_two" --flags-a=-fno-math-errno
    "--flags-b=-fno-math-errno -DNDEBUG")
redoubt_emitted_test(emitted.self_absent absent ${twins} --symbol "^dot_one" --pattern "\\bv?divss\\b")
