# SPDX-License-Identifier: MIT
# How redoubt's own tests, examples and benchmarks are compiled. None of this reaches a consumer: it hangs on
# redoubt_own, which is not exported and which redoubt::core never links.

if(PROJECT_IS_TOP_LEVEL)
    set(REDOUBT_ARCH native CACHE STRING "Instruction set of our own programs: native, v4, v3, v2, scalar")
else()
    set(REDOUBT_ARCH "" CACHE STRING "Instruction set of redoubt's own programs; empty: as the compiler's default")
endif()
set_property(CACHE REDOUBT_ARCH PROPERTY STRINGS native v4 v3 v2 scalar)
set(REDOUBT_CONTRACTS 1 CACHE STRING "Contract mode of our own programs: 0 off, 1 trap, 3 throw")
set_property(CACHE REDOUBT_CONTRACTS PROPERTY STRINGS 0 1 3)

set(redoubt_arch_flags "")
if(REDOUBT_ARCH STREQUAL "native")
    set(redoubt_arch_flags -march=native)
elseif(REDOUBT_ARCH MATCHES "^v[234]$")
    set(redoubt_arch_flags -march=x86-64-${REDOUBT_ARCH})
elseif(REDOUBT_ARCH STREQUAL "scalar")
    set(redoubt_arch_flags -DREDOUBT_NO_SIMD=1)
elseif(NOT REDOUBT_ARCH STREQUAL "")
    message(FATAL_ERROR "REDOUBT_ARCH is '${REDOUBT_ARCH}'; it is one of native, v4, v3, v2, scalar")
endif()
# Mode 2 asks the program for a handler, so it is built by tests/contracts alone.
if(NOT REDOUBT_CONTRACTS MATCHES "^[013]$")
    message(FATAL_ERROR "REDOUBT_CONTRACTS is '${REDOUBT_CONTRACTS}'; it is one of 0 (off), 1 (trap), 3 (throw)")
endif()

set(redoubt_warning_flags -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wold-style-cast -Wundef)

# redoubt_flags: everything but the contract mode, which tests/contracts sets by itself.
add_library(redoubt_flags INTERFACE)
target_compile_options(redoubt_flags INTERFACE ${redoubt_arch_flags} ${redoubt_warning_flags}
    $<$<BOOL:${REDOUBT_WERROR}>:-Werror>
    $<$<BOOL:${REDOUBT_EMBEDDED}>:-fno-exceptions> $<$<BOOL:${REDOUBT_EMBEDDED}>:-fno-rtti>)
target_link_libraries(redoubt_flags INTERFACE redoubt_core)

add_library(redoubt_own INTERFACE)
target_compile_definitions(redoubt_own INTERFACE REDOUBT_CONTRACTS=${REDOUBT_CONTRACTS})
target_link_libraries(redoubt_own INTERFACE redoubt_flags)

set(CMAKE_CXX_EXTENSIONS OFF)
if(PROJECT_IS_TOP_LEVEL)
    set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
    set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
endif()
