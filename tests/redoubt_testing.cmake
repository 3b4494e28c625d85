# SPDX-License-Identifier: MIT
# How tests are registered. Scripts exit with 77 when what they need is not installed; CTest then says "Skipped".

# The two compilers of the checks, whichever of them builds the tree.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    set(REDOUBT_GXX "${CMAKE_CXX_COMPILER}" CACHE FILEPATH "g++ of the checks that use both compilers")
elseif(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    set(REDOUBT_CLANGXX "${CMAKE_CXX_COMPILER}" CACHE FILEPATH "clang++ of the checks that use both compilers")
endif()
find_program(REDOUBT_GXX NAMES g++ g++-12 g++-13 g++-14)
find_program(REDOUBT_CLANGXX NAMES clang++-16 clang++-17 clang++-18 clang++-19 clang++-20)
mark_as_advanced(REDOUBT_GXX REDOUBT_CLANGXX)

# Flags with which the scripts compile: where the headers are, and our own instruction set.
set(redoubt_script_flags "-I${include_dir}" ${redoubt_arch_flags})
if(REDOUBT_XSIMD_INCLUDE_DIR AND NOT REDOUBT_XSIMD_INCLUDE_DIR IN_LIST CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES)
    list(APPEND redoubt_script_flags "-isystem${REDOUBT_XSIMD_INCLUDE_DIR}")
endif()
list(TRANSFORM redoubt_script_flags PREPEND "--flag=")

# redoubt_script_test(<name> <script> <arguments>...): passes when the script exits with 0.
function(redoubt_script_test name script)
    add_test(NAME ${name} COMMAND "${Python3_EXECUTABLE}" -B "${scripts}/${script}" ${ARGN})
    set_tests_properties(${name} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 300
        WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
endfunction()

# redoubt_compiler_test(<name> <script> <arguments>...): <name>.gcc and <name>.clang; the script also gets
# --compiler and one --flag=... for each flag.
function(redoubt_compiler_test name script)
    redoubt_script_test(${name}.gcc ${script} --compiler "${REDOUBT_GXX}" ${redoubt_script_flags} ${ARGN})
    redoubt_script_test(${name}.clang ${script} --compiler "${REDOUBT_CLANGXX}" ${redoubt_script_flags} ${ARGN})
endfunction()

# redoubt_emitted_test(<name> <subcommand> <arguments of emitted.py>...): a statement about emitted code, for both
# compilers. With RED as first argument after the name the statement must be false: the test of a mutant.
function(redoubt_emitted_test name)
    set(script emitted.py)
    set(arguments ${ARGN})
    list(POP_FRONT arguments first)
    if(first STREQUAL "RED")
        list(POP_FRONT arguments first)
        list(APPEND arguments --red)
    endif()
    redoubt_compiler_test(${name} ${script} --subcommand ${first} ${arguments})
endfunction()

# redoubt_same_bits_test(<name> <file> [DIRECTIVE <word>] [<flags of one build>...]): the program prints the same in
# every variant, with both compilers; a line `// expected: text` (or of another word) in the file fixes what.
function(redoubt_same_bits_test name file)
    cmake_parse_arguments(PARSE_ARGV 2 arg "" "DIRECTIVE" "")
    set(directive expected)
    if(arg_DIRECTIVE)
        set(directive "${arg_DIRECTIVE}")
    endif()
    set(variants ${arg_UNPARSED_ARGUMENTS})
    if(NOT variants)
        set(variants "-O0" "-O2" "-O3 -ffp-contract=off")
        if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
            list(APPEND variants "-O3 -ffp-contract=off -march=x86-64-v3" "-O3 -ffp-contract=fast -march=x86-64-v3"
                "-O3 -march=x86-64-v4")
        endif()
    endif()
    list(TRANSFORM variants PREPEND "--variant=")
    set(includes "--flag=-I${include_dir}" "--flag=-I${CMAKE_CURRENT_FUNCTION_LIST_DIR}")
    if(REDOUBT_XSIMD_INCLUDE_DIR AND NOT REDOUBT_XSIMD_INCLUDE_DIR IN_LIST CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES)
        list(APPEND includes "--flag=-isystem${REDOUBT_XSIMD_INCLUDE_DIR}")
    endif()
    foreach(compiler gcc clang)
        set(path "${REDOUBT_GXX}")
        if(compiler STREQUAL "clang")
            set(path "${REDOUBT_CLANGXX}")
        endif()
        redoubt_script_test(${name}.${compiler} same_bits.py --compiler "${path}" --file "${file}"
            --directive ${directive} ${includes} ${variants})
    endforeach()
endfunction()

# redoubt_slow_test(<test program> <Catch2 test expression>): an entry <program>.<expression> labelled slow. Hidden
# cases run too when the expression names them.
function(redoubt_slow_test program expression)
    string(MAKE_C_IDENTIFIER "${expression}" word)
    string(REGEX REPLACE "^_+|_+$" "" word "${word}")
    set(name ${program}.${word})
    if(ARGC GREATER 2)
        set(name "${ARGV2}")
    endif()
    add_test(NAME ${name} COMMAND ${program} "-#" "${expression}")
    set_tests_properties(${name} PROPERTIES LABELS slow TIMEOUT 3600 WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
        FAIL_REGULAR_EXPRESSION "No test cases matched")
endfunction()

# redoubt_catch_program(<name> PREFIX <prefix> SOURCES <file>...): a Catch2 program with one CTest entry per file. Tests
# run in the source directory; a file's [.slow] cases are an entry of their own, labelled slow.
function(redoubt_catch_program program)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "PREFIX" "SOURCES")
    add_executable(${program} ${arg_SOURCES})
    target_link_libraries(${program} PRIVATE redoubt_test redoubt_test_main)
    target_precompile_headers(${program} REUSE_FROM redoubt_test_main)
    # The tags in the files decide what is registered, so an edited file asks for a new look.
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${arg_SOURCES})
    foreach(file IN LISTS arg_SOURCES)
        cmake_path(GET file STEM stem)
        # Counted on tokens of our own: brackets out of balance would upset a CMake list.
        file(READ "${file}" text)
        string(REPLACE "[.slow]" "@SLOW@ @HIDDEN@" text "${text}")
        string(REPLACE "[." "@HIDDEN@" text "${text}")
        string(REGEX MATCHALL "TEST_CASE|SCENARIO" cases "${text}")
        string(REGEX MATCHALL "@HIDDEN@" hidden "${text}")
        string(FIND "${text}" "@SLOW@" slow)
        list(LENGTH cases cases)
        list(LENGTH hidden hidden)
        if(cases GREATER hidden)
            set(name ${arg_PREFIX}.${stem})
            add_test(NAME ${name} COMMAND ${program} "-#" "[#${stem}]~[.]")
            set_tests_properties(${name} PROPERTIES TIMEOUT 600 WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
                FAIL_REGULAR_EXPRESSION "No test cases matched")
        endif()
        if(NOT slow EQUAL -1)
            redoubt_slow_test(${program} "[#${stem}][slow]" ${arg_PREFIX}.${stem}.slow)
        endif()
    endforeach()
endfunction()

# redoubt_mutant_test(<name> <mutant number> FILTER <Catch2 expression> SOURCES <file>...): the same tests compiled with
# a planted defect (base/mutant.hpp) must fail by an assertion, not crash and not pass.
function(redoubt_mutant_test name number)
    cmake_parse_arguments(PARSE_ARGV 2 arg "" "FILTER" "SOURCES")
    list(GET arg_SOURCES 0 first)
    cmake_path(GET first STEM stem)
    set(program mutant_${number}_${stem})
    if(NOT TARGET ${program})  # several tests may ask the same program
        add_executable(${program} ${arg_SOURCES})
        target_link_libraries(${program} PRIVATE redoubt_test redoubt_test_main)
        target_compile_definitions(${program} PRIVATE REDOUBT_MUTANT=${number})
        target_compile_options(${program} PRIVATE -O1)  # a defect shows at any level, and kernels take long at the highest
    endif()
    redoubt_script_test(mutant.${name} expect_exit.py --code nonzero --text "assertions:" --text "failed"
        -- ${CMAKE_CROSSCOMPILING_EMULATOR} $<TARGET_FILE:${program}> "${arg_FILTER}")
endfunction()
