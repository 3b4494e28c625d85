// SPDX-License-Identifier: MIT
// Version, instruction level and contract mode of this translation unit: the one header that reads compiler macros.
#pragma once

#define REDOUBT_VERSION_MAJOR 0
#define REDOUBT_VERSION_MINOR 1
#define REDOUBT_VERSION_PATCH 0

#if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__)
#error "redoubt: -ffast-math and -ffinite-math-only break the canonical arithmetic (NaN, Inf and -0 carry meaning)"
#endif

/// How broken preconditions are met: 0 off, 1 trap (the default), 2 a handler of the program's own, 3 an exception.
#ifndef REDOUBT_CONTRACTS
#define REDOUBT_CONTRACTS 1
#endif

/// Set to 1 to compile the scalar backend only; xsimd is then not needed.
#ifndef REDOUBT_NO_SIMD
#if defined(__has_include)
#if __has_include(<xsimd/xsimd.hpp>)
#define REDOUBT_NO_SIMD 0
#else
#define REDOUBT_NO_SIMD 1
#endif
#else
#define REDOUBT_NO_SIMD 1
#endif
#endif

// The SIMD kernels ask for fused multiply-add: without it they could not give the canonical bits.
#if REDOUBT_NO_SIMD
#define REDOUBT_LEVEL scalar
#define REDOUBT_LEVEL_NUMBER 0
#elif defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__) && \
    defined(__AVX512VNNI__)
#define REDOUBT_LEVEL v4_vnni
#define REDOUBT_LEVEL_NUMBER 5
#elif defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#define REDOUBT_LEVEL v4
#define REDOUBT_LEVEL_NUMBER 4
#elif defined(__AVX2__) && defined(__FMA__) && defined(__F16C__)
#define REDOUBT_LEVEL v3
#define REDOUBT_LEVEL_NUMBER 3
#else
#define REDOUBT_LEVEL scalar
#define REDOUBT_LEVEL_NUMBER 0
#endif

#define REDOUBT_JOIN2(a, b) a##_contracts_##b
#define REDOUBT_JOIN(a, b) REDOUBT_JOIN2(a, b)
/// The inline namespace of code that depends on instruction set or contract mode. Data types do not live in it.
#define REDOUBT_ABI REDOUBT_JOIN(REDOUBT_LEVEL, REDOUBT_CONTRACTS)

namespace redoubt::inline v1 {

/// Instruction levels with kernels of their own, in the order of the x86-64 psABI levels they need.
enum class instruction_level { scalar = 0, v3 = 3, v4 = 4, v4_vnni = 5 };

}  // namespace redoubt::inline v1

namespace redoubt::inline REDOUBT_ABI {

/// The level this translation unit is compiled for.
inline constexpr instruction_level level = static_cast<instruction_level>(REDOUBT_LEVEL_NUMBER);

/// True where a broken precondition throws, so that functions which check one are not noexcept.
inline constexpr bool contracts_throw = REDOUBT_CONTRACTS == 3;

}  // namespace redoubt::inline REDOUBT_ABI
