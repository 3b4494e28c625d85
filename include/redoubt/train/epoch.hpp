// SPDX-License-Identifier: MIT
// One pass over a set of images in batches, the same for all that is trained.
#pragma once

#include <redoubt/base/result.hpp>
#include <redoubt/io/images.hpp>
#include <redoubt/nn/network.hpp>
#include <redoubt/train/augment.hpp>
#include <redoubt/train/recipe.hpp>
#include <redoubt/train/team.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace redoubt::train::inline v1 {

/// What one epoch did.
struct epoch_report {
    std::uint64_t epoch = 0;     ///< counted from 1
    std::uint64_t steps = 0;
    double loss = 0.0;           ///< mean over its steps
    double faulty_loss = 0.0;    ///< under faults, where there is such a pass
    double rate = 0.0;           ///< of its last step
};

}  // namespace redoubt::train::inline v1

namespace redoubt::train::inline REDOUBT_ABI {

/// Whether a network can learn from a set by a recipe. Errors: images of another size than the network's input, fewer than a batch, labels out of range, a
/// normalisation for other channels.
template <network_type Net>
result<void> check_set(const io::image_set& set, const recipe& by) {
    constexpr shape in = Net::input_shape;
    if (set.channels != in.channels || set.height != in.height || set.width != in.width)
        return error{"images of "} << set.name << " are " << set.channels << "x" << set.height << "x" << set.width << ", the network's input is " << in.channels << "x"
                                   << in.height << "x" << in.width;
    if (by.batch == 0 || set.size() < by.batch) return error{set.name} << " has " << set.size() << " images, fewer than a batch of " << by.batch;
    for (std::size_t i = 0; i < set.size(); ++i)
        if (set.labels[i] < 0 || set.labels[i] >= Net::outputs)
            return error{"label "} << set.labels[i] << " of image " << i << " of " << set.name << " is not one of the network's " << Net::outputs << " classes";
    for (const std::size_t count : {by.augment.normalise.mean.size(), by.augment.normalise.deviation.size()})
        if (count != 1 && count != static_cast<std::size_t>(set.channels))
            return error{"the normalisation has "} << count << " values for images of " << set.channels << " channels";
    return {};
}

/// Whether so many pixels and these labels are a batch for a network. Errors: counts that do not fit, labels out of range.
template <network_type Net>
result<void> check_batch(std::size_t pixels, std::span<const int> labels) {
    if (labels.empty()) return error{"a batch needs an image"};
    if (pixels != labels.size() * static_cast<std::size_t>(Net::input_shape.size()))
        return error{"a batch of "} << labels.size() << " labels needs " << labels.size() * static_cast<std::size_t>(Net::input_shape.size()) << " pixels, not " << pixels;
    for (std::size_t i = 0; i < labels.size(); ++i)
        if (labels[i] < 0 || labels[i] >= Net::outputs)
            return error{"label "} << labels[i] << " of image " << i << " of the batch is not one of the network's " << Net::outputs << " classes";
    return {};
}

/// body(step of the epoch, labels), which says whether to go on, for each whole batch of a set that check_set() has passed, in the order that the seed draws for the epoch. Before it the batch's images are
/// augmented into what room() says, [image][row][column][channel].
template <class Room, class Body>
void for_each_batch(const io::image_set& set, const recipe& by, std::uint64_t epoch, team& threads, Room&& room, Body&& body) {
    const std::size_t batch = static_cast<std::size_t>(by.batch), size = set.image_size();
    const std::vector<std::uint32_t> order = shuffled(set.size(), by.seed, epoch);
    const pixel_table table{by.augment.normalise, set.channels};
    std::vector<int> labels(batch);
    for (std::uint64_t k = 0; k < set.size() / by.batch; ++k) {
        const std::span<float> to = room();
        threads.run(batch, [&](std::size_t, std::size_t i) {
            const std::size_t image = order[static_cast<std::size_t>(k) * batch + i];
            augment(set, image, by.augment, table, by.seed, epoch, to.data() + i * size);
            labels[i] = set.labels[image];
        });
        if (!body(k, std::span<const int>{labels})) return;
    }
}

}  // namespace redoubt::train::inline REDOUBT_ABI
