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

// A level is a name, which goes into the namespace of the code compiled for it, and a number for the registers it has.
// Chains of floats are fused on all of them but sse2 and v2, which have no such instruction. A target that could fuse and
// yet reaches none of the other levels (FMA without AVX2) stays scalar: there, compilers would contract sse2's two steps.
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
#elif defined(__AVX2__) && defined(__FMA__) && defined(__F16C__) && defined(__AVXVNNI__)
#define REDOUBT_LEVEL v3_vnni
#define REDOUBT_LEVEL_NUMBER 3
#elif defined(__AVX2__) && defined(__FMA__) && defined(__F16C__)
#define REDOUBT_LEVEL v3
#define REDOUBT_LEVEL_NUMBER 3
#elif defined(__x86_64__) && defined(__SSE4_2__) && !defined(__FMA__) && !defined(__FMA4__)
#define REDOUBT_LEVEL v2
#define REDOUBT_LEVEL_NUMBER 2
#elif defined(__x86_64__) && defined(__SSE2__) && !defined(__FMA__) && !defined(__FMA4__)
#define REDOUBT_LEVEL sse2
#define REDOUBT_LEVEL_NUMBER 2
#elif defined(__aarch64__) && defined(__ARM_NEON) && !defined(__AARCH64EB__) && defined(__ARM_FEATURE_MATMUL_INT8)
#define REDOUBT_LEVEL neon64_i8mm
#define REDOUBT_LEVEL_NUMBER 1
#elif defined(__aarch64__) && defined(__ARM_NEON) && !defined(__AARCH64EB__) && defined(__ARM_FEATURE_DOTPROD)
#define REDOUBT_LEVEL neon64_dot
#define REDOUBT_LEVEL_NUMBER 1
#elif defined(__aarch64__) && defined(__ARM_NEON) && !defined(__AARCH64EB__)
#define REDOUBT_LEVEL neon64
#define REDOUBT_LEVEL_NUMBER 1
#else
#define REDOUBT_LEVEL scalar
#define REDOUBT_LEVEL_NUMBER 0
#endif

#define REDOUBT_JOIN2(a, b) a##_contracts_##b
#define REDOUBT_JOIN(a, b) REDOUBT_JOIN2(a, b)
/// The inline namespace of code that depends on instruction set or contract mode. Data types do not live in it.
#define REDOUBT_ABI REDOUBT_JOIN(REDOUBT_LEVEL, REDOUBT_CONTRACTS)

namespace redoubt::inline v1 {

/// Instruction levels by their registers: of x86-64 in the order of the psABI's levels, v2 being SSE2 with or without
/// SSE4.2. Levels that differ by a dot product of bytes alone (v3_vnni, neon64_dot, neon64_i8mm) count as their base.
enum class instruction_level { scalar = 0, neon64 = 1, v2 = 2, v3 = 3, v4 = 4, v4_vnni = 5 };

}  // namespace redoubt::inline v1

namespace redoubt::inline REDOUBT_ABI {

/// The level this translation unit is compiled for.
inline constexpr instruction_level level = static_cast<instruction_level>(REDOUBT_LEVEL_NUMBER);

/// True where a step of a float chain is one fused multiply-add: then float results have the canonical bits, the same on
/// all such levels. False at sse2 and v2, which multiply, round, add and round.
inline constexpr bool fuses = level != instruction_level::v2;

/// True where a broken precondition throws, so that functions which check one are not noexcept.
inline constexpr bool contracts_throw = REDOUBT_CONTRACTS == 3;

}  // namespace redoubt::inline REDOUBT_ABI
