// SPDX-License-Identifier: MIT
// Int8 weights that carry their own error-correcting code and take no memory for it.
#pragma once

#include <redoubt/kernel/zero_space.hpp>
#include <redoubt/nn/layers.hpp>
#include <redoubt/nn/status.hpp>

#include <span>
#include <type_traits>

namespace redoubt::inline v1 {

/// Int8 weights under a (64, 57) code in bits that small weights do not need (kernel/zero_space.hpp): in each eight bytes one flipped bit is corrected, two
/// are found and left. For that seven weights in eight are held within half of the range, [-64, 63], which may change answers; biases are not
/// protected. store_for_transforms() writes the code, once; weights are then decoded at each read, through scratch. Counters count words of eight
/// bytes. Memory: none. int8 only.
template <class... Layers>
struct zero_space : protection<Layers...> {
    struct transform {
        static constexpr bool recodes = true;
        static constexpr std::size_t together = 8;
        static constexpr std::uint64_t layout_id = 3;

        template <class Word, class Out, class Bound>
        static void apply(std::span<const Word> words, Out* to, Bound, fault_counters& count) {
            static_assert(std::is_same_v<Word, std::int8_t>, "redoubt: zero_space needs int8 weights");
            const kernel::zero_space_tally seen = kernel::zero_space_read(words.data(), words.size(), to);
            count.detected += seen.corrected + seen.uncorrected;
            count.corrected += seen.corrected;
            count.uncorrected += seen.uncorrected;
        }
        template <class Word, class Bound>
        static void invert(std::span<Word> words, Bound&, int) {
            (void)kernel::zero_space_write(words.data(), words.size());
        }
    };
};

}  // namespace redoubt::inline v1
