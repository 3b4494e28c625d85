// SPDX-License-Identifier: MIT
// Random words and logarithms in vector registers, with the bits of base/philox.hpp and base/math.hpp.
#pragma once

#include <redoubt/base/math.hpp>
#include <redoubt/base/philox.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>

#if REDOUBT_LEVEL_NUMBER >= 3
#include <immintrin.h>
#include <xsimd/xsimd.hpp>
#endif

namespace redoubt::kernel::inline REDOUBT_ABI {

/// True where there are registers for it (AVX2 and above); elsewhere this header has nothing else.
inline constexpr bool has_wide_random = level >= instruction_level::v3;

#if REDOUBT_LEVEL_NUMBER >= 3

#if REDOUBT_LEVEL_NUMBER >= 4
using random_arch = xsimd::avx512bw;
#else
using random_arch = xsimd::fma3<xsimd::avx2>;
#endif
using word_lanes = xsimd::batch<std::uint64_t, random_arch>;
using real_lanes = xsimd::batch<double, random_arch>;
inline constexpr int random_lanes = static_cast<int>(word_lanes::size);

/// Whole products of the lanes' low halves.
inline word_lanes product_of_halves(const word_lanes& a, const word_lanes& b) {
#if REDOUBT_LEVEL_NUMBER >= 4
    return _mm512_maskz_mul_epu32(0xff, a, b);
#else
    return _mm256_mul_epu32(a, b);
#endif
}
// Shifts in their zero-masking form with a full mask: the same instruction, but g++ 12 warns of the plain form's undefined register.
template <int Bits> word_lanes right(const word_lanes& v) {
#if REDOUBT_LEVEL_NUMBER >= 4
    return _mm512_maskz_srli_epi64(0xff, v, Bits);
#else
    return _mm256_srli_epi64(v, Bits);
#endif
}
template <int Bits> word_lanes left(const word_lanes& v) {
#if REDOUBT_LEVEL_NUMBER >= 4
    return _mm512_maskz_slli_epi64(0xff, v, Bits);
#else
    return _mm256_slli_epi64(v, Bits);
#endif
}
/// The high halves in place of the low ones: a shuffle, which more ports do than a shift; what it leaves in the high halves has
/// no meaning.
inline word_lanes high_halves(const word_lanes& v) {
#if REDOUBT_LEVEL_NUMBER >= 4
    return _mm512_maskz_shuffle_epi32(0xffff, v, _MM_PERM_DDBB);
#else
    return _mm256_shuffle_epi32(v, 0xf5);
#endif
}
inline real_lanes whole_part(const real_lanes& v) {
#if REDOUBT_LEVEL_NUMBER >= 4
// without optimisation g++ has a macro here, with a conversion that it warns of
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"
    return _mm512_maskz_roundscale_pd(0xff, v, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
#pragma GCC diagnostic pop
#else
    return xsimd::trunc(v);
#endif
}
/// Bit i tells of lane i.
template <class T>
unsigned lanes_where(const xsimd::batch_bool<T, random_arch>& b) {
#if REDOUBT_LEVEL_NUMBER >= 4
    return static_cast<unsigned>(b.data);
#else
    if constexpr (std::is_same_v<T, double>) return static_cast<unsigned>(_mm256_movemask_pd(b));
    else return static_cast<unsigned>(_mm256_movemask_pd(_mm256_castsi256_pd(b)));
#endif
}
/// first, first + by, first + 2 by, ...
inline word_lanes numbers_from(std::uint64_t first, std::uint64_t by = 1) {
    std::array<std::uint64_t, random_lanes> numbers{};
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = first + i * by;
    return word_lanes::load_unaligned(numbers.data());
}

/// redoubt::philox of many counters at once: a lane gives the low 64 bits of its own, the high ones are shared. A lane holds a
/// Philox word in its low half; what is left in the high half does no harm, since products take low halves alone.
class wide_philox {
public:
    explicit wide_philox(philox_key key) {
        for (auto& round : keys_) {
            round = {key[0], key[1]};
            key[0] += 0x9E3779B9u;
            key[1] += 0xBB67AE85u;
        }
    }
    struct pair { word_lanes first, second; };

    /// The words of several vectors of low halves under `Highs` high ones, as [vector][high]: so many chains side by side, because
    /// ten rounds one after the other are mostly waiting.
    template <std::size_t Vectors, std::size_t Highs>
    std::array<std::array<pair, Highs>, Vectors> operator()(const std::array<word_lanes, Vectors>& lows, const std::array<std::array<std::uint32_t, 2>, Highs>& highs) const {
        const word_lanes m0(std::uint64_t{0xD2511F53u}), m1(std::uint64_t{0xCD9E8D57u}), low(std::uint64_t{0xffffffffu});
        std::array<std::array<word_lanes, Highs>, Vectors> c0, c1, c2, c3;
        std::array<std::array<pair, Highs>, Vectors> all;
        const auto each = [](auto&& body) {
            [&]<std::size_t... I>(std::index_sequence<I...>) { (body(I / Highs, I % Highs), ...); }(std::make_index_sequence<Vectors * Highs>{});
        };
        each([&](std::size_t v, std::size_t a) {
            c0[v][a] = lows[v];
            c1[v][a] = high_halves(lows[v]);
            c2[v][a] = word_lanes(std::uint64_t{highs[a][0]});
            c3[v][a] = word_lanes(std::uint64_t{highs[a][1]});
        });
        for (const auto& key : keys_) {
            each([&](std::size_t v, std::size_t a) {
                const word_lanes p0 = product_of_halves(c0[v][a], m0), p1 = product_of_halves(c2[v][a], m1);
                c0[v][a] = high_halves(p1) ^ c1[v][a] ^ word_lanes(key[0]);
                c2[v][a] = high_halves(p0) ^ c3[v][a] ^ word_lanes(key[1]);
                c1[v][a] = p1;
                c3[v][a] = p0;
            });
        }
        each([&](std::size_t v, std::size_t a) {
            all[v][a] = {left<32>(c1[v][a]) | (c0[v][a] & low), left<32>(c3[v][a]) | (c2[v][a] & low)};
        });
        return all;
    }

private:
    std::array<std::array<std::uint64_t, 2>, 10> keys_{};
};

/// A whole number up to 2^53 as a real one.
inline real_lanes real_of_whole(const word_lanes& v) {
    const word_lanes high = right<32>(v) | word_lanes(std::uint64_t{0x4530000000000000u});                            // 2^84 + ...
    const word_lanes low = (v & word_lanes(std::uint64_t{0xffffffffu})) | word_lanes(std::uint64_t{0x4330000000000000u});  // 2^52 + ...
    const real_lanes upper = xsimd::bitwise_cast<real_lanes>(high) - real_lanes(0x1.00000001p84);
    return upper + xsimd::bitwise_cast<real_lanes>(low);
}

/// redoubt::natural_log of numbers in (0, 1] that are not denormal: the same operations, hence the same bits.
inline real_lanes natural_log(const real_lanes& x) {
    constexpr std::uint64_t one = 0x3ff0000000000000u, root_half = 0x3fe6a09e667f3bcdu, fraction = 0x000fffffffffffffu;
    const word_lanes shifted = xsimd::bitwise_cast<word_lanes>(x) + word_lanes(one - root_half);
    const word_lanes exponent = right<52>(shifted) | word_lanes(std::uint64_t{0x4330000000000000u});
    const real_lanes n = xsimd::bitwise_cast<real_lanes>(exponent) - real_lanes(0x1p52 + 1023.0);
    const real_lanes m = xsimd::bitwise_cast<real_lanes>((shifted & word_lanes(fraction)) + word_lanes(root_half));

    const auto real = [](double v) { return real_lanes(v); };
    const real_lanes difference = m - real(1.0), sum = m + real(1.0);
    const real_lanes sum_low = m - (sum - real(1.0));
    const real_lanes inverse = real(1.0) / sum;
    const real_lanes s = difference / sum;
    const real_lanes rest = xsimd::fnma(s, sum_low, xsimd::fnma(s, sum, difference));
    const real_lanes twice_s_low = (rest + rest) * inverse;

    const real_lanes z = s * s, zz = z * z;
    real_lanes odd = real(2.0 / 19.0), even = real(2.0 / 21.0);
    odd = xsimd::fma(odd, zz, real(2.0 / 15.0)), even = xsimd::fma(even, zz, real(2.0 / 17.0));
    odd = xsimd::fma(odd, zz, real(2.0 / 11.0)), even = xsimd::fma(even, zz, real(2.0 / 13.0));
    odd = xsimd::fma(odd, zz, real(2.0 / 7.0)), even = xsimd::fma(even, zz, real(2.0 / 9.0));
    odd = xsimd::fma(odd, zz, real(2.0 / 3.0)), even = xsimd::fma(even, zz, real(2.0 / 5.0));
    const real_lanes series = z * xsimd::fma(even, z, odd);

    const real_lanes twice_s = s + s;
    const real_lanes high = xsimd::fma(n, real(redoubt::detail::ln2_high), twice_s);
    const real_lanes lost = twice_s - xsimd::fnma(n, real(redoubt::detail::ln2_high), high);
    return high + (lost + xsimd::fma(n, real(redoubt::detail::ln2_low), xsimd::fma(s, series, twice_s_low)));
}

/// Stores the lanes of `which` one after the other and returns past the last; may write all lanes' worth.
inline std::uint64_t* store_lanes(const word_lanes& v, unsigned which, std::uint64_t* to) {
#if REDOUBT_LEVEL_NUMBER >= 4
    _mm512_storeu_si512(to, _mm512_maskz_compress_epi64(static_cast<__mmask8>(which), v));
    return to + std::popcount(which);
#else
    alignas(32) std::array<std::uint64_t, random_lanes> all;
    v.store_aligned(all.data());
    for (unsigned lane = 0; lane < random_lanes; ++lane) {
        *to = all[lane];
        to += (which >> lane) & 1u;
    }
    return to;
#endif
}

/// Whether any lane has a bit.
inline bool has_any_bit(const word_lanes& v) { return xsimd::any(v != word_lanes(std::uint64_t{0})); }
/// A whole number below 2^52, in a real lane, as a word.
inline word_lanes word_of_whole(const real_lanes& v) {
    // what is left of its sum with 2^52
    return xsimd::bitwise_cast<word_lanes>(v + real_lanes(0x1p52)) & word_lanes((std::uint64_t{1} << 52) - 1);
}

#endif

}  // namespace redoubt::kernel::inline REDOUBT_ABI
