// SPDX-License-Identifier: MIT
// A layer of one's own: average pooling, used in binary32, in eight-bit integers, and within triple redundancy.
#include <redoubt/redoubt.hpp>

#include <cstdio>
#include <span>

namespace rd = redoubt;

/// Mean of each Window x Window square; rows and columns that fill no square are dropped.
template <int Window>
struct average_pool {
    static_assert(Window > 0);

    /// The shape that comes out, found at compile time.
    static constexpr rd::shape output(rd::shape in) { return {in.channels, in.height / Window, in.width / Window}; }

    /// `in` and `out` are views of stored words, whatever the number; `numeric` turns a word into a real value and back.
    /// A sum has one order, so that every machine gives the same bits.
    template <class In, class Out, class Numeric>
    static void run(In in, Out out, Numeric numeric) {
        const rd::shape size = out.extents();
        for (int row = 0; row < size.height; ++row) {
            for (int column = 0; column < size.width; ++column) {
                for (int channel = 0; channel < size.channels; ++channel)
                    out(row, column, channel) = numeric.word(mean(in, row, column, channel, numeric));
            }
        }
    }

private:
    template <class In, class Numeric>
    static float mean(In in, int row, int column, int channel, Numeric numeric) {
        float sum = 0.0f;
        for (int r = 0; r < Window; ++r)
            for (int c = 0; c < Window; ++c) sum += numeric.value(in(row * Window + r, column * Window + c, channel));
        return sum / static_cast<float>(Window * Window);
    }
};

using net = rd::network<rd::image<1, 6, 6>, rd::float32, average_pool<2>, rd::linear<2>>;
using small = rd::with_number<net, rd::int8>;
using tripled = rd::network<rd::image<1, 6, 6>, rd::int8, rd::tmr<average_pool<2>, rd::linear<2>>>;

static rd::parameters<net> trained{};
static rd::workspace<net> scratch;

template <class Net>
static void show(const char* name, const rd::parameters<Net>& weights, std::span<const float> image) {
    static rd::workspace<Net> space;
    rd::state<Net> state;
    const auto answer = rd::infer<Net>(weights, state, image, space);
    std::printf("%-13s %g %g\n", name, static_cast<double>(answer.logits[0]), static_cast<double>(answer.logits[1]));
}

int main() {
    for (int row = 0; row < 3; ++row) {
        trained.weight_at(0, 0, row, 0, 0) = 1.0f;   // left
        trained.weight_at(0, 1, row, 2, 0) = 1.0f;   // right
    }
    float image[36];
    for (int i = 0; i < 36; ++i) image[i] = static_cast<float>(i % 6) / 4.0f;  // brighter to the right

    rd::calibration<net> seen;
    rd::observe<net>(trained, image, scratch, seen);
    static rd::parameters<small> in_small;
    static rd::parameters<tripled> in_tripled;
    rd::convert<net>(trained, seen, in_small);
    rd::convert<net>(trained, seen, in_tripled);

    show<net>("fp32", trained, image);
    show<small>("int8", in_small, image);
    show<tripled>("int8 tripled", in_tripled, image);
}
