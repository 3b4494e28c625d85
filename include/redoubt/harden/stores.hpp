// SPDX-License-Identifier: MIT
// Parameters kept redundantly: three copies under a bitwise vote, or two under checksums. Steps check them before every read and take
// what is wrong through scratch, so that the parameters themselves may be const; scrub() repairs them in place.
#pragma once

#include <redoubt/kernel/crc32c.hpp>
#include <redoubt/kernel/vote.hpp>
#include <redoubt/nn/layers.hpp>
#include <redoubt/nn/status.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

namespace redoubt::inline v1 {

/// Three copies of weights and biases, bitwise majority. Memory: three times. Corrects any faults in one copy, and any
/// that strike different bits of different copies.
template <class... Layers>
struct tmr_parameters : protection<Layers...> {
    struct store {
        /// Whole copies besides the primary, at the front of the extra bytes.
        static constexpr int copies = 2;
        static constexpr std::size_t code_bytes(std::size_t) { return 0; }
        static constexpr std::size_t extra_bytes(std::size_t primary) { return 2 * primary; }

        static void encode(std::span<const std::byte> primary, std::span<std::byte> extra) {
            std::memcpy(extra.data(), primary.data(), primary.size());
            std::memcpy(extra.data() + primary.size(), primary.data(), primary.size());
        }
        static bool sound(std::span<const std::byte> primary, std::span<const std::byte> extra, std::size_t first, std::size_t size) {
            const std::byte* const at = primary.data() + first;
            return std::memcmp(at, extra.data() + first, size) == 0 &&
                   std::memcmp(at, extra.data() + primary.size() + first, size) == 0;
        }
        static void fetch(std::span<const std::byte> primary, std::span<const std::byte> extra, std::size_t first,
                          std::size_t size, std::byte* to, fault_counters& count) {
            // the region starts and ends at multiples of 16 bytes, so 8-byte words cover it
            const auto words = [&](const std::byte* base) {
                return reinterpret_cast<const std::uint64_t*>(base + first);
            };
            tally(kernel::vote_words(words(primary.data()), words(extra.data()), words(extra.data() + primary.size()),
                                     reinterpret_cast<std::uint64_t*>(to), size / 8), count);
        }
        static void scrub(std::span<std::byte> primary, std::span<std::byte> extra, fault_counters& count) {
            auto* a = reinterpret_cast<std::uint64_t*>(primary.data());
            auto* b = reinterpret_cast<std::uint64_t*>(extra.data());
            auto* c = reinterpret_cast<std::uint64_t*>(extra.data() + primary.size());
            tally(kernel::vote_words(a, b, c, a, primary.size() / 8), count);
            std::memcpy(b, a, primary.size());
            std::memcpy(c, a, primary.size());
        }

    private:
        /// Votes are bitwise: a word without majority may still be right in every bit, but nobody can know.
        static void tally(kernel::vote_tally t, fault_counters& count) { count.add_found(t.different, t.no_majority); }
    };
};

/// Two copies, each with a CRC-32C for every block of 256 bytes. A block whose checksum fails is taken from the other
/// copy; where both fail it is used as it lies and counted as uncorrected. Memory: 2.03 times.
template <class... Layers>
struct crc : protection<Layers...> {
    struct store {
        static constexpr int copies = 1;
        static constexpr std::size_t block = 256;
        static constexpr std::size_t blocks(std::size_t primary) { return (primary + block - 1) / block; }
        /// The checksums of both copies, after the copies.
        static constexpr std::size_t code_bytes(std::size_t primary) { return 2 * 4 * blocks(primary); }
        static constexpr std::size_t extra_bytes(std::size_t primary) { return primary + code_bytes(primary); }

        static void encode(std::span<const std::byte> primary, std::span<std::byte> extra) {
            std::memcpy(extra.data(), primary.data(), primary.size());
            for (std::size_t b = 0; b < blocks(primary.size()); ++b) {
                const std::uint32_t sum = kernel::crc32c(primary.data() + b * block, length(primary.size(), b));
                for (std::size_t copy = 0; copy < 2; ++copy)
                    std::memcpy(extra.data() + code_at(primary.size(), copy, b), &sum, 4);
            }
        }
        static bool sound(std::span<const std::byte> primary, std::span<const std::byte> extra, std::size_t first, std::size_t size) {
            std::size_t b = first / block;
            // whole blocks by four, whose checksums do not wait for each other
            for (; (b + 4) * block <= std::min(first + size, primary.size()); b += 4) {
                const std::array<std::uint32_t, 4> sums = kernel::crc32c_of_four(primary.data() + b * block, block);
                if constexpr (planted == mutant::no_crc) continue;
                if (std::memcmp(sums.data(), extra.data() + code_at(primary.size(), 0, b), sizeof(sums)) != 0) return false;
            }
            for (; b * block < first + size; ++b)
                if (!intact(primary, extra, 0, b)) return false;
            return true;
        }
        static void fetch(std::span<const std::byte> primary, std::span<const std::byte> extra, std::size_t first,
                          std::size_t size, std::byte* to, fault_counters& count) {
            for (std::size_t b = first / block; b * block < first + size; ++b) {
                // a block that two regions share counts with that in which it begins
                fault_counters counted_before, &here = b * block >= first ? count : counted_before;
                const std::byte* from = sound_copy(primary, extra, b, here) == 1 ? extra.data() : primary.data();
                const std::size_t begin = std::max(first, b * block);
                const std::size_t end = std::min(first + size, b * block + length(primary.size(), b));
                std::memcpy(to + (begin - first), from + begin, end - begin);
            }
        }
        static void scrub(std::span<std::byte> primary, std::span<std::byte> extra, fault_counters& count) {
            for (std::size_t b = 0; b < blocks(primary.size()); ++b) {
                const std::size_t bytes = length(primary.size(), b);
                const bool good[2] = {intact(primary, extra, 0, b), intact(primary, extra, 1, b)};
                if (good[0] && good[1]) continue;
                ++count.detected;
                if (!good[0] && !good[1]) {
                    ++count.uncorrected;
                    continue;
                }
                ++count.corrected;
                std::byte* one = primary.data() + b * block;
                std::byte* other = extra.data() + b * block;
                if (good[0]) std::memcpy(other, one, bytes);
                else std::memcpy(one, other, bytes);
                const std::size_t sound = good[0] ? 0 : 1;
                std::memcpy(extra.data() + code_at(primary.size(), 1 - sound, b),
                            extra.data() + code_at(primary.size(), sound, b), 4);
            }
        }

    private:
        static constexpr std::size_t length(std::size_t primary, std::size_t b) {
            return std::min(block, primary - b * block);
        }
        static constexpr std::size_t code_at(std::size_t primary, std::size_t copy, std::size_t b) {
            return primary + 4 * (copy * blocks(primary) + b);
        }
        static bool intact(std::span<const std::byte> primary, std::span<const std::byte> extra, std::size_t copy,
                           std::size_t b) {
            if constexpr (planted == mutant::no_crc) return copy == 0;
            const std::byte* data = copy == 0 ? primary.data() : extra.data();
            std::uint32_t sum;
            std::memcpy(&sum, extra.data() + code_at(primary.size(), copy, b), 4);
            return kernel::crc32c(data + b * block, length(primary.size(), b)) == sum;
        }
        /// 0 or 1; the second is looked at only when the first is broken.
        static int sound_copy(std::span<const std::byte> primary, std::span<const std::byte> extra, std::size_t b,
                              fault_counters& count) {
            if (intact(primary, extra, 0, b)) return 0;
            ++count.detected;
            if (intact(primary, extra, 1, b)) {
                ++count.corrected;
                return 1;
            }
            ++count.uncorrected;
            return 0;
        }
    };
};

}  // namespace redoubt::inline v1
