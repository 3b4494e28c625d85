# SPDX-License-Identifier: MIT
# How redoubt's dependencies are found; the build and the installed package share it.

# xsimd by its header: Debian's CMake target for it is broken, and without xsimd the scalar backend compiles.
macro(redoubt_find_xsimd)
    find_path(REDOUBT_XSIMD_INCLUDE_DIR xsimd/xsimd.hpp DOC "Directory that holds xsimd/xsimd.hpp")
    mark_as_advanced(REDOUBT_XSIMD_INCLUDE_DIR)
endmacro()

# What redoubt::hosted links. A package without CMake files is found by its header. The list redoubt_hosted_missing
# says what was not found.
macro(redoubt_find_hosted_dependencies)
    set(redoubt_hosted_missing "")
    find_package(nlohmann_json 3 QUIET)
    redoubt_header_target(nlohmann_json::nlohmann_json nlohmann/json.hpp REDOUBT_NLOHMANN_INCLUDE_DIR)
    find_package(CLI11 QUIET)
    redoubt_header_target(CLI11::CLI11 CLI/CLI.hpp REDOUBT_CLI11_INCLUDE_DIR)
    find_package(ZLIB QUIET)
    find_package(Threads QUIET)
    foreach(redoubt_target nlohmann_json::nlohmann_json CLI11::CLI11 ZLIB::ZLIB Threads::Threads)
        if(NOT TARGET ${redoubt_target})
            string(REGEX REPLACE ".*::" "" redoubt_target "${redoubt_target}")
            list(APPEND redoubt_hosted_missing ${redoubt_target})
        endif()
    endforeach()
endmacro()

macro(redoubt_header_target name header variable)
    if(NOT TARGET ${name})
        find_path(${variable} ${header})
        mark_as_advanced(${variable})
        if(${variable})
            add_library(${name} INTERFACE IMPORTED)
            target_include_directories(${name} SYSTEM INTERFACE "${${variable}}")
        endif()
    endif()
endmacro()
