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
    code_lanes v;
    std::memcpy(&v, from, sizeof(v));
    return v;
}

/// The check bits of `rows` rows, as many columns at once as a register holds; body(part, sums) gets the sums of each.
template <class Code, class Body>
void sum_rows(const std::byte* data, std::size_t rows, Body&& body) {
    for (std::size_t part = 0; part < code_row; part += sizeof(code_lanes)) {
        std::array<code_lanes, Code::checks> sums;
        for (code_lanes& s : sums) s = code_lanes(std::uint64_t{0});
        const auto add = [&]<std::size_t Row>(std::integral_constant<std::size_t, Row>) {
            const code_lanes v = load_lanes(data + Row * code_row + part);
            [&]<std::size_t... C>(std::index_sequence<C...>) {
                ((((Code::columns[Row] >> C) & 1u) != 0 ? void(sums[C] = sums[C] ^ v) : void()), ...);
            }(std::make_index_sequence<Code::checks>{});
        };
        [&]<std::size_t... Row>(std::index_sequence<Row...>) {
            if (rows == code_rows) (add(std::integral_constant<std::size_t, Row>{}), ...);
            else ((Row < rows ? add(std::integral_constant<std::size_t, Row>{}) : void()), ...);
        }(std::make_index_sequence<code_rows>{});
        body(part, sums);
    }
}

}  // namespace impl

/// Writes the check rows of a block of `rows` rows, at most 64; a short block is one whose other rows are 0.
template <class Code>
void encode_block(const std::byte* data, std::size_t rows, std::byte* checks) {
    impl::sum_rows<Code>(data, rows, [&](std::size_t part, const auto& sums) {
        for (std::size_t c = 0; c < Code::checks; ++c) std::memcpy(checks + c * code_row + part, &sums[c], sizeof(sums[c]));
    });
}

/// Whether every codeword of a block is as it was encoded. Where not, `syndromes`, as large as the check rows, says what differs.
template <class Code>
bool check_block(const std::byte* data, std::size_t rows, const std::byte* checks, std::byte* syndromes) {
    impl::code_lanes any(std::uint64_t{0});
    impl::sum_rows<Code>(data, rows, [&](std::size_t part, const auto& sums) {
        for (std::size_t c = 0; c < Code::checks; ++c) {
            const impl::code_lanes differs = sums[c] ^ impl::load_lanes(checks + c * code_row + part);
            std::memcpy(syndromes + c * code_row + part, &differs, sizeof(differs));
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
