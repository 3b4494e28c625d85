// SPDX-License-Identifier: MIT
// The base floor on a small target.
#include <redoubt/base/barrier.hpp>
#include <redoubt/base/bits.hpp>
#include <redoubt/base/pack.hpp>
#include <redoubt/base/philox.hpp>
#include <redoubt/base/result.hpp>

namespace {

redoubt::result<int> small(std::uint64_t word) {
    if (word > 1000) return redoubt::error{"too large: "} << word;
    return static_cast<int>(word);
}

}  // namespace

int main() {
    redoubt::random_stream stream{7, {1, 2, 3, 4}};
    std::uint64_t word = stream.below(100);
    redoubt::opaque(word);
    const auto good = small(word);
    const auto bad = small(word + 5000);
    if (!good || bad) return 1;
    return redoubt::majority(3u, 5u, 1u) == 1u && !bad.reason().text().empty() && *good < 100 ? 0 : 1;
}
