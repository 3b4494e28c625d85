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

# The null policy leaves no instruction behind: with its hook a tile is what the preprocessor leaves without the hook's
# code. The control: with a hook that strikes, taking the code out is noticed.
set(null_policy --file "${emitted}/null_policy.cpp" --flag=-O2 --many)
set(without_hook --flags-a= --flags-b=-DREDOUBT_TEST_BARE_KERNEL)
redoubt_emitted_test(emitted.null_policy_fp32 same ${null_policy} ${without_hook}
    --symbol "float_tile|direct_tile<redoubt::v1::float32")
redoubt_emitted_test(emitted.null_policy_int8 same ${null_policy} ${without_hook}
    --symbol "int8_tile|direct_tile<redoubt::v1::int8")
redoubt_emitted_test(emitted.striking_policy_differs differ ${null_policy} --flag=-DHOOK=fault_hook ${without_hook}
    --symbol "float_tile|direct_tile<redoubt::v1::float32")

# No floating-point arithmetic between input quantisation and logits in int8; the control is the same network in fp32.
set(arithmetic "\\bv?(add|sub|mul|div|fmadd|fnmadd|max|min|sqrt|cvt|rndscale|ucomi|comi|cmp)\\w*(ss|sd|ps|pd)\\b|\\bv?cvt\\w+|\\bf(ld|add|mul)")
redoubt_emitted_test(emitted.int8_without_floating_point absent --file "${emitted}/int8_steps.cpp" --flag=-O2 --many
    --symbol "." --pattern "${arithmetic}")
redoubt_emitted_test(emitted.fp32_with_floating_point count --file "${emitted}/int8_steps.cpp" --flag=-O2 --many
    --flag=-DNUMBER=float32 --symbol "." --pattern "${arithmetic}" --min 10)

# Every replica is computed, and compared or voted on, at -O2 and -O3 (dmr: two, the comparison, and the spare). Here
# kernels are called, so compilers of today keep replicas of whole steps even without the barrier; the mutant is red
# below, where they are inlined.
foreach(level 2 3)
    set(replicas --file "${emitted}/replicas.cpp" --flag=-O${level} --many --symbol ".")
    foreach(protection tmr dmr)
        redoubt_emitted_test(emitted.replicas_${protection}_O${level} count ${replicas} --flag=-DPROTECTION=${protection}
            --pattern "(call|jmp).*conv2d<" --min 3 --max 3)
    endforeach()
    redoubt_emitted_test(emitted.dmr_compares_O${level} count ${replicas} --flag=-DPROTECTION=dmr
        --pattern "(call|jmp).*(mem|b)cmp" --min 1)
    redoubt_emitted_test(emitted.tmr_compares_not_O${level} absent ${replicas} --flag=-DPROTECTION=tmr
        --pattern "(call|jmp).*(mem|b)cmp")
    redoubt_emitted_test(emitted.one_step_one_call_O${level} count ${replicas} --flag=-DPROTECTION=range
        --flag=-include --flag=redoubt/harden/range.hpp --pattern "(call|jmp).*conv2d<" --min 1 --max 1)
endforeach()

# The same with everything inlined, where the compiler does merge identical copies: three products with the barriers, one
# without. Neither compiler inlines so much by the same means; the instruction set is fixed, as nothing is run.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    foreach(protection tmr dmr)
        set(inlined emitted.py ${redoubt_script_flags} --subcommand count --file "${emitted}/replicas_inlined.cpp"
            --flag=-DPROTECTION=${protection} --flag=-march=x86-64-v4 --symbol "^protected_steps" --pattern "\\bvfn?madd"
            --min 3)
        set(by_gcc --compiler "${REDOUBT_GXX}" --flag=-O3)
        set(by_clang --compiler "${REDOUBT_CLANGXX}" --flag=-O2 --flag=-mllvm --flag=-inline-threshold=1000000)
        foreach(compiler gcc clang)
            redoubt_script_test(emitted.inlined_${protection}.${compiler} ${inlined} ${by_${compiler}})
            redoubt_script_test(emitted.inlined_${protection}_mutant.${compiler} ${inlined} ${by_${compiler}}
                --flag=-DREDOUBT_MUTANT=1 --red)
        endforeach()
    endforeach()
endif()
