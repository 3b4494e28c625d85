# SPDX-License-Identifier: MIT
# One translation unit per network and number, so that a command line over many of both compiles in small pieces.
#
#   redoubt_add_engines(<target> HEADER <header> FACTORY <C++ name> NETWORKS <name>... NUMBERS <name>... [PRESETS <C++ type>])
#
# Each pair becomes a .cpp made from engine.cpp.in, in which @HEADER@, @FACTORY@, @NETWORK@ and @NUMBER@ are replaced; all
# are added to the target, and so are units with the kernels of each number, once a target (kernels.cpp.in). FACTORY is a
# type with a member type for each network (float32, without protections) and number_NAME for each number; number_fp32 is
# always needed, because weights are loaded in it. HEADER is written as in an #include. PRESETS is a pack of presets
# (redoubt/app/presets.hpp), redoubt::app::usual_presets where there is none; redoubt::app::all_presets takes minutes to compile.

set(redoubt_engine_template "${CMAKE_CURRENT_LIST_DIR}/engine.cpp.in")
set(redoubt_kernels_template "${CMAKE_CURRENT_LIST_DIR}/kernels.cpp.in")
set(redoubt_trainable_template "${CMAKE_CURRENT_LIST_DIR}/trainable.cpp.in")

# Within a function over `target` whose arguments were parsed as `arg`: those named are there, and no others than it knows.
macro(redoubt_expect_arguments)
    foreach(name ${ARGN})
        if(NOT arg_${name})
            message(FATAL_ERROR "${CMAKE_CURRENT_FUNCTION}(${target}): ${name} is missing")
        endif()
    endforeach()
    if(arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "${CMAKE_CURRENT_FUNCTION}(${target}): not understood: ${arg_UNPARSED_ARGUMENTS}")
    endif()
endmacro()

#   redoubt_add_trainables(<target> HEADER <header> FACTORY <C++ name> NETWORKS <name>...)
#
# Likewise one unit for each network that the commands train, rank, harden and prune know.
function(redoubt_add_trainables target)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "HEADER;FACTORY" "NETWORKS")
    redoubt_expect_arguments(HEADER FACTORY NETWORKS)
    set(HEADER "${arg_HEADER}")
    set(FACTORY "${arg_FACTORY}")
    foreach(NETWORK IN LISTS arg_NETWORKS)
        set(file "${CMAKE_CURRENT_BINARY_DIR}/${target}_engines/train_${NETWORK}.cpp")
        configure_file("${redoubt_trainable_template}" "${file}" @ONLY)
        target_sources(${target} PRIVATE "${file}")
    endforeach()
endfunction()

function(redoubt_add_engines target)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "HEADER;FACTORY;PRESETS" "NETWORKS;NUMBERS")
    redoubt_expect_arguments(HEADER FACTORY NETWORKS NUMBERS)
    set(HEADER "${arg_HEADER}")
    set(FACTORY "${arg_FACTORY}")
    set(PRESETS redoubt::app::usual_presets)
    if(arg_PRESETS)
        set(PRESETS "${arg_PRESETS}")
    endif()
    set(folder "${CMAKE_CURRENT_BINARY_DIR}/${target}_engines")
    get_target_property(sources ${target} SOURCES)
    foreach(NUMBER IN ITEMS fp32 ${arg_NUMBERS})
        foreach(HOOK no_hook fault_hook sums_of_no_hook sums_of_fault_hook)
            string(MAKE_C_IDENTIFIER "kernels_${NUMBER}_${HOOK}" unit)
            if(NOT "${folder}/${unit}.cpp" IN_LIST sources)
                configure_file("${redoubt_kernels_template}" "${folder}/${unit}.cpp" @ONLY)
                target_sources(${target} PRIVATE "${folder}/${unit}.cpp")
                list(APPEND sources "${folder}/${unit}.cpp")
            endif()
        endforeach()
    endforeach()
    foreach(NETWORK IN LISTS arg_NETWORKS)
        foreach(NUMBER IN LISTS arg_NUMBERS)
            string(MAKE_C_IDENTIFIER "${NETWORK}_${NUMBER}" ENGINE)
            set(NEEDS_FLOAT32 1)
            if(NUMBER STREQUAL "fp32")
                set(NEEDS_FLOAT32 0)
            endif()
            set(file "${folder}/${ENGINE}.cpp")
            configure_file("${redoubt_engine_template}" "${file}" @ONLY)
            target_sources(${target} PRIVATE "${file}")
        endforeach()
    endforeach()
endfunction()
