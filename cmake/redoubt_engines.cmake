# SPDX-License-Identifier: MIT
# One translation unit per network and number, so that a command line over many of both compiles in small pieces.
#
#   redoubt_add_engines(<target> HEADER <header> FACTORY <C++ name> NETWORKS <name>... NUMBERS <name>...)
#
# Each pair becomes a .cpp made from engine.cpp.in, in which @HEADER@, @FACTORY@, @NETWORK@, @NUMBER@ and @ENGINE@ (the
# pair as one identifier) are replaced; all are added to the target. HEADER is written as in an #include.

set(redoubt_engine_template "${CMAKE_CURRENT_LIST_DIR}/engine.cpp.in")

function(redoubt_add_engines target)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "HEADER;FACTORY" "NETWORKS;NUMBERS")
    foreach(name HEADER FACTORY NETWORKS NUMBERS)
        if(NOT arg_${name})
            message(FATAL_ERROR "redoubt_add_engines(${target}): ${name} is missing")
        endif()
    endforeach()
    if(arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "redoubt_add_engines(${target}): not understood: ${arg_UNPARSED_ARGUMENTS}")
    endif()
    set(HEADER "${arg_HEADER}")
    set(FACTORY "${arg_FACTORY}")
    foreach(NETWORK IN LISTS arg_NETWORKS)
        foreach(NUMBER IN LISTS arg_NUMBERS)
            string(MAKE_C_IDENTIFIER "${NETWORK}_${NUMBER}" ENGINE)
            set(file "${CMAKE_CURRENT_BINARY_DIR}/${target}_engines/${ENGINE}.cpp")
            configure_file("${redoubt_engine_template}" "${file}" @ONLY)
            target_sources(${target} PRIVATE "${file}")
        endforeach()
    endforeach()
endfunction()
