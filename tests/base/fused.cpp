// SPDX-License-Identifier: MIT
#include <redoubt/base/fused.hpp>
#include <redoubt/base/philox.hpp>

#include "support/catch.hpp"

#include <cmath>
#include <cstdint>

using namespace redoubt;

namespace {

bool same(float a, float b) { return to_word(a) == to_word(b) || (a != a && b != b); }

/// Random words; or b and c such that a * b lies near c or near half a unit of c, where rounding twice goes wrong.
int wrong_of(float (*fma)(float, float, float), int rounds) {
    random_stream random{51, {}};
    const auto any = [&] { return from_word<float>(static_cast<std::uint32_t>(random())); };
    int wrong = 0;
    for (int i = 0; i < rounds; ++i) {
        float a = any(), b = any(), c = any();
        if (i % 4 != 0) {
            const float unit = std::ldexp(1.0f, static_cast<int>(random.below(40)) - 30 - (i % 4 == 3 ? 140 : 0));
            c = unit * (1.0f + static_cast<float>(random.below(1u << 23)) * 0x1p-23f);
            a = unit * 0x1p-24f * (1.0f + static_cast<float>(random.below(4)) * 0x1p-23f);
            b = (1.0f - static_cast<float>(random.below(4)) * 0x1p-24f) * (random.below(2) != 0 ? 1.0f : -1.0f);
        }
        wrong += same(fma(a, b, c), std::fma(a, b, c)) ? 0 : 1;
    }
    return wrong;
}

float rounded_twice(float a, float b, float c) {
    return static_cast<float>(static_cast<double>(a) * static_cast<double>(b) + static_cast<double>(c));
}

}  // namespace

TEST_CASE("a multiply-add in software is rounded once", "[base][fused]") {
    CHECK(wrong_of(detail::fused_in_software, 400000) == 0);
    CHECK(wrong_of(fused, 400000) == 0);
    CHECK(wrong_of(rounded_twice, 400000) > 1000);  // the cases do tell
}
