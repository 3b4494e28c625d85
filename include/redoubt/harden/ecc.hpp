// SPDX-License-Identifier: MIT
// Parameters under a code: each step's words are checked before they are read, and taken through scratch where one is wrong; scrub()
// repairs them in place.
#pragma once

#include <redoubt/base/mutant.hpp>
#include <redoubt/kernel/bit_sliced_code.hpp>
#include <redoubt/nn/layers.hpp>
#include <redoubt/nn/status.hpp>

#include <algorithm>
#include <cstring>
#include <span>

namespace redoubt::inline v1 {

namespace detail {

/// A store that keeps weights and biases once, with the check rows of a bit-sliced code for every 4,096 bytes. Counters count
/// codewords. A word that cannot be put right is used as it lies and counted as uncorrected.
template <class Code>
struct coded_store {
    static constexpr int copies = 0;
    static constexpr std::size_t block_bytes = kernel::code_rows * kernel::code_row, check_bytes = Code::checks * kernel::code_row;
    static constexpr std::size_t blocks(std::size_t primary) { return (primary + block_bytes - 1) / block_bytes; }
    static constexpr std::size_t code_bytes(std::size_t primary) { return check_bytes * blocks(primary); }
    static constexpr std::size_t extra_bytes(std::size_t primary) { return code_bytes(primary); }

    static void encode(std::span<const std::byte> primary, std::span<std::byte> extra) {
        for (std::size_t b = 0; b < blocks(primary.size()); ++b)
            kernel::encode_block<Code>(primary.data() + b * block_bytes, rows(primary.size(), b), extra.data() + b * check_bytes);
    }
    static bool sound(std::span<const std::byte> primary, std::span<const std::byte> extra, std::size_t first, std::size_t size) {
        std::array<std::byte, check_bytes> syndromes;
        for (std::size_t b = first / block_bytes; b * block_bytes < first + size; ++b)
            if (!block_sound(primary, extra, b, syndromes)) return false;
        return true;
    }
    static void fetch(std::span<const std::byte> primary, std::span<const std::byte> extra, std::size_t first, std::size_t size,
                      std::byte* to, fault_counters& count) {
        // blocks at the region's edges are checked as a whole, and what is wrong there counts with the region that has the byte, or where
        // no byte is known, the block's beginning
        std::memcpy(to, primary.data() + first, size);
        examine(primary, extra, first, size, [&](std::size_t b, std::size_t bit, const kernel::diagnosis& d) {
            const bool in_data = d.is == kernel::verdict::data;
            const std::size_t byte = b * block_bytes + (in_data ? d.row * kernel::code_row + bit / 8 : 0);
            if (byte < first || byte >= first + size) return;
            tally(d, count);
            if (in_data) to[byte - first] ^= static_cast<std::byte>(1u << bit % 8);
        });
    }
    static void scrub(std::span<std::byte> primary, std::span<std::byte> extra, fault_counters& count) {
        examine(primary, extra, 0, primary.size(), [&](std::size_t b, std::size_t bit, const kernel::diagnosis& d) {
            tally(d, count);
            const std::size_t row = d.row * kernel::code_row;
            if (d.is == kernel::verdict::data) kernel::flip_in_row(primary.data() + b * block_bytes + row, bit);
            if (d.is == kernel::verdict::check) kernel::flip_in_row(extra.data() + b * check_bytes + row, bit);
        });
    }

private:
    /// Checks the blocks of a region; tell(block, bit, diagnosis) of each codeword that is wrong.
    template <class Tell>
    static void examine(std::span<const std::byte> primary, std::span<const std::byte> extra, std::size_t first, std::size_t size,
                        Tell&& tell) {
        std::array<std::byte, check_bytes> syndromes;
        for (std::size_t b = first / block_bytes; b * block_bytes < first + size; ++b) {
            if (block_sound(primary, extra, b, syndromes)) continue;
            kernel::diagnose_block<Code>(syndromes.data(), rows(primary.size(), b),
                                         [&](std::size_t bit, const kernel::diagnosis& d) { tell(b, bit, d); });
        }
    }
    static constexpr std::size_t rows(std::size_t primary, std::size_t b) {
        return std::min(kernel::code_rows, (primary - b * block_bytes) / kernel::code_row);
    }
    static bool block_sound(std::span<const std::byte> primary, std::span<const std::byte> extra, std::size_t b,
                            std::array<std::byte, check_bytes>& syndromes) {
        if constexpr (planted == mutant::no_code) return true;
        return kernel::check_block<Code>(primary.data() + b * block_bytes, rows(primary.size(), b), extra.data() + b * check_bytes,
                                         syndromes.data());
    }
    static void tally(const kernel::diagnosis& d, fault_counters& count) {
        ++count.detected;
        if (d.is == kernel::verdict::uncorrectable) ++count.uncorrected;
        else ++count.corrected;
    }
};

}  // namespace detail

/// Weights and biases under Hsiao's (72,64) code: any one flipped bit of a codeword is corrected, any two are found; three or more
/// may be corrected wrongly. Codewords take one bit of each of 64 rows of 64 bytes, so up to 512 neighbouring bits may flip.
/// Memory: 1.125 times, more for layers below 4,096 bytes.
template <class... Layers>
struct secded : protection<Layers...> {
    using store = detail::coded_store<kernel::hsiao>;
};

/// Weights and biases under a parity bit for every 64 bits: an odd number of flipped bits is found and none corrected, which
/// leaves status.trustworthy() false. Memory: 1.016 times, more for layers below 4,096 bytes.
template <class... Layers>
struct parity : protection<Layers...> {
    using store = detail::coded_store<kernel::even_parity>;
};

}  // namespace redoubt::inline v1
