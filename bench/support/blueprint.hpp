// SPDX-License-Identifier: MIT
// What a oneDNN chain is made from: the table of a network of ours and its parameters.
#pragma once

#include <redoubt/nn/parameters.hpp>

#include <vector>

namespace bench::onednn {

/// What a chain is made from: a table, and floats in PyTorch's order ([out][in][row][column]).
struct blueprint {
    struct layer {
        std::vector<float> weights, biases;
        int frac = 0;  ///< int8: weights are codes / 2^frac
    };
    std::vector<redoubt::step> steps;
    std::vector<redoubt::slot> slots;
    std::vector<redoubt::value> values;
    std::vector<int> fracs;  ///< int8: of each value
    std::vector<layer> layers;
    int output = 0;
    bool planar = false;
    bool integer = false;

    template <redoubt::network_type Net>
    static blueprint of(const redoubt::parameters<Net>& weights) {
        blueprint b;
        const auto first = [](const auto& all, int count) { return std::vector(all.begin(), all.begin() + count); };
        b.steps = first(Net::table.steps, Net::table.step_count);
        b.slots = first(Net::table.slots, Net::table.slot_count);
        b.values = first(Net::table.values, Net::table.value_count);
        b.output = Net::table.output;
        b.planar = Net::input::planar;
        for (int s = 0; s < Net::table.slot_count; ++s) {
            const auto& g = b.slots[static_cast<std::size_t>(s)].geometry;
            layer l;
            l.weights.reserve(g.weights());
            for (int o = 0; o < g.out.channels; ++o)
                for (int i = 0; i < g.group_in(); ++i)
                    for (int r = 0; r < g.kernel.h; ++r)
                        for (int c = 0; c < g.kernel.w; ++c) l.weights.push_back(weights.weight_at(s, o, r, c, i));
            const auto biases = weights.biases(s).first(static_cast<std::size_t>(g.out.channels));
            l.biases.assign(biases.begin(), biases.end());
            b.layers.push_back(std::move(l));
        }
        return b;
    }
    /// The same in int8, with the scales that our conversion chose.
    template <redoubt::network_type Net, redoubt::network_type Quantised>
    static blueprint of(const redoubt::parameters<Net>& weights, const redoubt::parameters<Quantised>& scales) {
        blueprint b = of<Net>(weights);
        b.integer = true;
        b.fracs.assign(b.values.size(), 0);
        for (const redoubt::step& s : b.steps) b.fracs[static_cast<std::size_t>(s.out)] = scales.of_unit(s.unit).frac;
        for (std::size_t s = 0; s < b.layers.size(); ++s) b.layers[s].frac = scales.weight_frac(static_cast<int>(s));
        return b;
    }
};

}  // namespace bench::onednn
