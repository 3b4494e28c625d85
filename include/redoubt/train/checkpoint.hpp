// SPDX-License-Identifier: MIT
// A training run in one file, from which it goes on to the same bits.
#pragma once

#include <redoubt/train/trainer.hpp>

#include <charconv>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace redoubt::train::inline REDOUBT_ABI {

namespace impl {

/// Numbers that a run depends on, to the bit.
inline void add_numbers(std::string& text, std::initializer_list<double> numbers) {
    for (const double v : numbers) {
        char digits[40];
        const auto end = std::to_chars(digits, digits + sizeof digits, v, std::chars_format::hex).ptr;
        text.append(" ").append(digits, end);
    }
}

/// What must be the same for the rest of a run to be the same: layers and the recipe but for threads; of maps and hooks, which have no name, the number.
template <network_type Net>
std::string identity_of(const trainer<Net>& of) {
    std::string text = "seed ";
    text.append(std::to_string(of.by().seed)).append(", batch ").append(std::to_string(of.by().batch)).append(", optimiser ");
    const recipe& by = of.by();
    text.append(std::to_string(static_cast<int>(by.optimiser.kind)));
    add_numbers(text, {by.optimiser.momentum, by.optimiser.nesterov ? 1.0 : 0.0, by.optimiser.decay, by.optimiser.first, by.optimiser.second, by.optimiser.epsilon});
    text.append(", schedule ").append(std::to_string(static_cast<int>(by.schedule.kind)));
    add_numbers(text, {by.schedule.rate, static_cast<double>(by.schedule.warm_up), by.schedule.factor, by.schedule.last, by.schedule.rising,
                       by.schedule.start_divisor, by.schedule.end_divisor, static_cast<double>(by.epochs)});
    for (const std::uint64_t m : by.schedule.milestones) add_numbers(text, {static_cast<double>(m)});
    text.append(", loss");
    add_numbers(text, {by.label_smoothing, by.clip_norm});
    text.append(", images");
    add_numbers(text, {static_cast<double>(by.augment.crop_pad), by.augment.flip ? 1.0 : 0.0, static_cast<double>(by.augment.cutout)});
    add_numbers(text, {by.largest_weight, by.faulty.share, by.faulty.clamp, by.faulty.only_below, by.faulty.own_statistics ? 1.0 : 0.0, by.teacher ? by.teacher_share : 0.0,
                       by.teacher ? by.temperature : 0.0});
    text.append(", maps ").append(std::to_string(by.maps.size())).append(" ").append(std::to_string(by.functions.size())).append(" ").append(std::to_string(by.faulty.maps.size()));
    if (!by.name.empty()) text.append(", recipe ").append(by.name);
    text.append(", layers");
    for (const slot& s : of.parts().plan().slots) {
        const kernel::conv_geometry& g = s.geometry;
        text.append(" ").append(s.name.view()).append(":");
        for (const int extent : {g.out.channels, g.kernel.h, g.kernel.w, g.group_in()}) text.append(std::to_string(extent)).append("x");
        text.append(s.has_norm ? "n" : "b");
    }
    return text;
}

inline result<std::uint64_t> counted(const io::tensor_file& file, std::string_view key) {
    for (const auto& [name, value] : file.metadata) {
        if (name != key) continue;
        std::uint64_t count = 0;
        const auto [end, code] = std::from_chars(value.data(), value.data() + value.size(), count);
        if (code == std::errc{} && end == value.data() + value.size()) return count;
    }
    return error{"has no number '"} << key << "'";
}

/// A trainer's arrays by name.
template <network_type Net>
std::vector<std::pair<std::string, floats*>> arrays_of(trainer<Net>& of) {
    std::vector<std::pair<std::string, floats*>> all{{"parameters", &of.parts().parameters}, {"first moments", &of.momenta().first()}, {"second moments", &of.momenta().second()}};
    for (std::size_t s = 0; s < of.parts().running.size(); ++s) {
        if (of.parts().running[s].mean.empty()) continue;
        all.emplace_back("running mean " + std::to_string(s), &of.parts().running[s].mean);
        all.emplace_back("running variance " + std::to_string(s), &of.parts().running[s].variance);
    }
    return all;
}

}  // namespace impl

/// Writes weights, statistics, optimiser state, epochs and steps to one file, whole or not at all: under another name first, then renamed.
template <network_type Net>
result<void> save(trainer<Net>& from, const std::string& path) {
    io::tensor_file file;
    file.metadata = {{"kind", "redoubt training checkpoint"}, {"identity", impl::identity_of(from)}, {"epochs", std::to_string(from.epochs_done())},
                     {"steps", std::to_string(from.momenta().steps())}};
    for (const auto& [name, values] : impl::arrays_of(from))
        impl::append(file, name, {values->size()}, std::span<const float>{values->data(), values->size()});
    return io::write_safetensors(path, file);
}

/// Goes on from save(): what follows has the bits of a run that was never stopped. Errors: not such a file, or one of other layers, seed, batch or
/// optimiser; the trainer is then as it was.
template <network_type Net>
result<void> resume(trainer<Net>& to, const std::string& path) {
    const auto file = io::read_safetensors(path);
    if (!file) return file.reason();
    const std::string mine = impl::identity_of(to);
    std::string theirs;
    for (const auto& [key, value] : file->metadata)
        if (key == "identity") theirs = value;
    if (theirs.empty()) return error{path} << ": is not a training checkpoint";
    if (theirs != mine) return error{path} << ": belongs to another run (" << theirs << "), this one is (" << mine << ")";
    const auto epochs = impl::counted(*file, "epochs"), steps = impl::counted(*file, "steps");
    if (!epochs || !steps) return error{path} << ": " << (epochs ? steps : epochs).reason().text();
    std::vector<std::vector<float>> read;
    const auto arrays = impl::arrays_of(to);
    for (const auto& [name, values] : arrays) {
        const io::tensor_entry* entry = file->find(name);
        if (entry == nullptr) return error{path} << ": has no tensor '" << name << "'";
        auto numbers = io::as_floats(*entry);
        if (!numbers) return error{path} << ": " << numbers.reason().text();
        if (numbers->size() != values->size()) return error{path} << ": '" << name << "' has " << numbers->size() << " numbers, not " << values->size();
        read.push_back(std::move(*numbers));
    }
    for (std::size_t i = 0; i < arrays.size(); ++i) std::copy(read[i].begin(), read[i].end(), arrays[i].second->begin());
    to.momenta().set_steps(*steps);
    to.set_epochs_done(*epochs);
    return {};
}

}  // namespace redoubt::train::inline REDOUBT_ABI
