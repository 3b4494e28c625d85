// SPDX-License-Identifier: MIT
// What numbers and protections cost in memory, known at compile time.
#include "support/catch.hpp"

#include <redoubt/app/presets.hpp>
#include <redoubt/model/resnet_cifar.hpp>
#include <redoubt/nn/plan.hpp>

namespace {

using namespace redoubt;
using resnet = model::resnet20<image<1, 28, 28>>;
using narrow = with_number<resnet, float16>;

}  // namespace

TEST_CASE("fp16 parameters and workspace take half the bytes of fp32's") {
    // but for records (scales, bounds) and for what rounding each block to 64 bytes adds
    constexpr std::size_t slack = 64 * (2 * static_cast<std::size_t>(resnet::table.slot_count) + 8);
    CHECK(parameter_bytes<narrow> <= parameter_bytes<resnet> / 2 + slack);
    CHECK(slack * 200 < parameter_bytes<resnet>);
    CHECK(2 * workspace_bytes<narrow> == workspace_bytes<resnet>);
}

TEST_CASE("Copies cost what their papers say") {
    using tripled = app::presets::tmr_parameters::apply<resnet>;
    using checked = app::presets::crc::apply<resnet>;
    const double plain = static_cast<double>(parameter_bytes<resnet>);
    CHECK(static_cast<double>(parameter_bytes<tripled>) / plain == Approx(3.0).margin(0.01));
    CHECK(static_cast<double>(parameter_bytes<checked>) / plain == Approx(2.0 + 8.0 / 256.0).margin(0.02));
}
