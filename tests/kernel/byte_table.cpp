// SPDX-License-Identifier: MIT
#include "support/catch.hpp"

#include <redoubt/base/philox.hpp>
#include <redoubt/kernel/byte_table.hpp>

#include <vector>

using namespace redoubt;

TEST_CASE("bytes are looked up, whatever their number and place", "[kernel]") {
    random_stream random{5, {}};
    kernel::byte_table table;
    for (auto& b : table.of) b = static_cast<std::uint8_t>(random.below(256));
    std::vector<std::uint8_t> from(700);
    for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<std::uint8_t>(i < 256 ? i : random.below(256));
    for (const std::size_t first : {0u, 1u, 17u})
        for (const std::size_t count : {0u, 1u, 15u, 16u, 31u, 32u, 63u, 64u, 65u, 200u, 640u}) {
            std::vector<std::uint8_t> to(count + 2, 0xa5);
            kernel::look_up(table, from.data() + first, count, to.data() + 1);
            int wrong = 0;
            for (std::size_t i = 0; i < count; ++i) wrong += to[i + 1] == table.of[from[first + i]] ? 0 : 1;
            CHECK(wrong == 0);
            CHECK((to.front() == 0xa5 && to.back() == 0xa5));
        }
    // in place
    std::vector<std::uint8_t> words = from;
    kernel::look_up(table, words.data(), words.size(), words.data());
    for (std::size_t i = 0; i < from.size(); ++i) CHECK(words[i] == table.of[from[i]]);
}
