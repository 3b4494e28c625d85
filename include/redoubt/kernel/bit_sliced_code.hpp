// SPDX-License-Identifier: MIT
// Codes over bits that lie one below the other: 64 rows of 64 bytes hold 512 codewords of 64 data bits each, bit i of every row
// being codeword i's, and further rows hold the check bits. So checking is exclusive-or of whole vectors, and a burst of
// neighbouring bits strikes as many codewords, once each.
#pragma once

#include <redoubt/base/config.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#if REDOUBT_LEVEL_NUMBER >= 1
#include <xsimd/xsimd.hpp>
#endif
#if REDOUBT_LEVEL_NUMBER >= 4
#include <immintrin.h>
#endif

namespace redoubt::kernel::inline v1 {

/// Bytes of a row, and the most rows of data in a block.
inline constexpr std::size_t code_row = 64, code_rows = 64;

/// What a syndrome says about its codeword.
enum class verdict : std::uint8_t { uncorrectable, data, check };  // g++ 12 folds arrays of another default into zeros
struct diagnosis {
    verdict is = verdict::uncorrectable;
    std::uint8_t row = 0;  ///< of data, or of check bits
};

/// One check bit over all 64 data bits: finds every odd number of flipped bits and corrects none. Memory: 1 part in 64.
struct even_parity {
    static constexpr std::size_t checks = 1;
    static constexpr std::array<std::uint8_t, code_rows> columns = [] {
        std::array<std::uint8_t, code_rows> all{};
        all.fill(1);
        return all;
    }();
    static constexpr diagnosis diagnose(std::uint8_t) { return {}; }
};

/// The (72,64) code of Hsiao, "A class of optimal minimum odd-weight-column SEC-DED codes" (IBM Journal 14, 1970): corrects every
/// single flipped bit, finds every two. Columns of the check matrix: the 56 of weight 3 and 8 of weight 5, 26 in each row.
struct hsiao {
    static constexpr std::size_t checks = 8;
    static constexpr std::array<std::uint8_t, code_rows> columns = [] {
        std::array<std::uint8_t, code_rows> all{};
        std::size_t n = 0;
        for (unsigned c = 0; c < 256; ++c)
            if (std::popcount(c) == 3) all[n++] = static_cast<std::uint8_t>(c);
        for (int turn = 0; turn < 8; ++turn) all[n++] = std::rotl(std::uint8_t{0x1f}, turn);
        return all;
    }();
    static constexpr diagnosis diagnose(std::uint8_t syndrome) { return of_syndrome[syndrome]; }

private:
    static constexpr std::array<diagnosis, 256> of_syndrome = [] {
        std::array<diagnosis, 256> all{};
        for (std::uint8_t row = 0; row < code_rows; ++row) all[columns[row]] = {verdict::data, row};
        for (std::uint8_t row = 0; row < checks; ++row) all[std::size_t{1} << row] = {verdict::check, row};
        return all;
    }();
};

}  // namespace redoubt::kernel::inline v1

namespace redoubt::kernel::inline REDOUBT_ABI {

namespace impl {

#if REDOUBT_LEVEL_NUMBER >= 4
using code_lanes = xsimd::batch<std::uint64_t, xsimd::avx512bw>;
#elif REDOUBT_LEVEL_NUMBER == 3
using code_lanes = xsimd::batch<std::uint64_t, xsimd::fma3<xsimd::avx2>>;
#elif REDOUBT_LEVEL_NUMBER >= 1
using code_lanes = xsimd::batch<std::uint64_t>;
#else
using code_lanes = std::uint64_t;
#endif
inline code_lanes load_lanes(const std::byte* from) {
#if REDOUBT_LEVEL_NUMBER >= 1
    // not by memcpy: g++ makes halves of it without AVX-512, which wait for each other
    return code_lanes::load_unaligned(reinterpret_cast<const std::uint64_t*>(from));
#else
    code_lanes v;
    std::memcpy(&v, from, sizeof(v));
    return v;
#endif
}
inline void store_lanes(const code_lanes& v, std::byte* to) {
#if REDOUBT_LEVEL_NUMBER >= 1
    v.store_unaligned(reinterpret_cast<std::uint64_t*>(to));
#else
    std::memcpy(to, &v, sizeof(v));
#endif
}

/// Exclusive-or of three; one instruction where AVX-512 is.
inline code_lanes sum3(code_lanes a, code_lanes b, code_lanes c) {
#if REDOUBT_LEVEL_NUMBER >= 4
    return _mm512_ternarylogic_epi64(a, b, c, 0x96);
#else
    return a ^ b ^ c;
#endif
}

/// Rows that are held in registers at once, besides the sums.
inline constexpr std::size_t code_group = REDOUBT_LEVEL_NUMBER >= 4 ? 16 : 8;

/// Which rows of a group enter a check bit.
struct group_rows {
    std::array<std::uint8_t, code_group> row{};
    std::size_t count = 0;
};
template <class Code, std::size_t First, std::size_t Check>
inline constexpr group_rows rows_of_check = [] {
    group_rows some;
    for (std::size_t r = 0; r < code_group; ++r)
        if (((unsigned{Code::columns[First + r]} >> Check) & 1u) != 0) some.row[some.count++] = static_cast<std::uint8_t>(r);
    return some;
}();

/// Adds the rows of one group to the sums, two at a time.
template <class Code, std::size_t First, std::size_t... Check>
[[gnu::always_inline]] inline void add_group(const std::array<code_lanes, code_group>& rows, std::array<code_lanes, Code::checks>& sums, std::index_sequence<Check...>) {
    const auto one = [&]<std::size_t C>(std::integral_constant<std::size_t, C>) {
        constexpr const group_rows& some = rows_of_check<Code, First, C>;
        code_lanes sum = sums[C];
        [&]<std::size_t... P>(std::index_sequence<P...>) {
            ((sum = sum3(sum, rows[some.row[2 * P]], rows[some.row[2 * P + 1]])), ...);
        }(std::make_index_sequence<some.count / 2>{});
        if constexpr (some.count % 2 != 0) sum = sum ^ rows[some.row[some.count - 1]];
        sums[C] = sum;
    };
    (one(std::integral_constant<std::size_t, Check>{}), ...);
}

/// The sums of the columns that one register holds; Whole: of 64 rows, else of the first `rows`.
template <class Code, bool Whole>
std::array<code_lanes, Code::checks> sum_columns(const std::byte* data, std::size_t rows) {
    std::array<code_lanes, Code::checks> sums;
    for (code_lanes& s : sums) s = code_lanes(std::uint64_t{0});
    const auto add = [&]<std::size_t First, std::size_t... R>(std::integral_constant<std::size_t, First>, std::index_sequence<R...>) {
        const auto row = [&](std::size_t r) {
            if constexpr (!Whole)
                if (r >= rows) return code_lanes(std::uint64_t{0});
            return load_lanes(data + r * code_row);
        };
        const std::array<code_lanes, code_group> held{row(First + R)...};
        add_group<Code, First>(held, sums, std::make_index_sequence<Code::checks>{});
    };
    [&]<std::size_t... G>(std::index_sequence<G...>) {
        (add(std::integral_constant<std::size_t, G * code_group>{}, std::make_index_sequence<code_group>{}), ...);
    }(std::make_index_sequence<code_rows / code_group>{});
    return sums;
}

/// The check bits of `rows` rows, as many columns at once as a register holds; body(part, sums) gets the sums of each.
template <class Code, class Body>
void sum_rows(const std::byte* data, std::size_t rows, Body&& body) {
    for (std::size_t part = 0; part < code_row; part += sizeof(code_lanes))
        body(part, rows == code_rows ? sum_columns<Code, true>(data + part, rows) : sum_columns<Code, false>(data + part, rows));
}

}  // namespace impl

/// Writes the check rows of a block of `rows` rows, at most 64; a short block is one whose other rows are 0.
template <class Code>
void encode_block(const std::byte* data, std::size_t rows, std::byte* checks) {
    impl::sum_rows<Code>(data, rows, [&](std::size_t part, const auto& sums) {
        for (std::size_t c = 0; c < Code::checks; ++c) impl::store_lanes(sums[c], checks + c * code_row + part);
    });
}

/// Whether every codeword of a block is as it was encoded. Where not, `syndromes`, as large as the check rows, says what differs.
template <class Code>
bool check_block(const std::byte* data, std::size_t rows, const std::byte* checks, std::byte* syndromes) {
    impl::code_lanes any(std::uint64_t{0});
    impl::sum_rows<Code>(data, rows, [&](std::size_t part, const auto& sums) {
        for (std::size_t c = 0; c < Code::checks; ++c) {
            const impl::code_lanes differs = sums[c] ^ impl::load_lanes(checks + c * code_row + part);
            impl::store_lanes(differs, syndromes + c * code_row + part);
            any = any | differs;
        }
    });
    std::array<std::uint64_t, sizeof(any) / 8> words;
    std::memcpy(words.data(), &any, sizeof(any));
    std::uint64_t all = 0;
    for (std::uint64_t w : words) all |= w;
    return all == 0;
}

/// Calls tell(bit, diagnosis) for each codeword of a block that check_block found wrong: `bit` is its place within a row. A row of data
/// past `rows` holds no bits, so a syndrome that names one is uncorrectable.
template <class Code, class Tell>
void diagnose_block(const std::byte* syndromes, std::size_t rows, Tell&& tell) {
    for (std::size_t lane = 0; lane < code_row / 8; ++lane) {
        std::array<std::uint64_t, Code::checks> of_lane;
        std::uint64_t wrong = 0;
        for (std::size_t c = 0; c < Code::checks; ++c) {
            std::memcpy(&of_lane[c], syndromes + c * code_row + lane * 8, 8);
            wrong |= of_lane[c];
        }
        for (; wrong != 0; wrong &= wrong - 1) {
            const int bit = std::countr_zero(wrong);
            unsigned syndrome = 0;
            for (std::size_t c = 0; c < Code::checks; ++c) syndrome |= static_cast<unsigned>((of_lane[c] >> bit) & 1u) << c;
            diagnosis d = Code::diagnose(static_cast<std::uint8_t>(syndrome));
            if (d.is == verdict::data && d.row >= rows) d = {};
            tell(lane * 64 + static_cast<std::size_t>(bit), d);
        }
    }
}

/// Flips one bit of a row.
inline void flip_in_row(std::byte* row, std::size_t bit) { row[bit / 8] ^= static_cast<std::byte>(1u << bit % 8); }

}  // namespace redoubt::kernel::inline REDOUBT_ABI
