// SPDX-License-Identifier: MIT
// What generated translation units (cmake/redoubt_engines.cmake) hand to the command line: networks behind interfaces that do not name their types.
#pragma once

#include <redoubt/base/result.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace redoubt::app::inline v1 {

template <class T>
using maker_of = std::unique_ptr<T> (*)();

/// The announced makers of one interface, in the order of their names.
template <class T>
std::vector<maker_of<T>>& announced() {
    static std::vector<maker_of<T>> makers;
    return makers;
}

/// Announces one from the translation unit that makes it.
template <class T>
struct announcement {
    explicit announcement(maker_of<T> make) { announced<T>().push_back(make); }
};

/// One of each.
template <class T>
std::vector<std::unique_ptr<T>> make_announced() {
    std::vector<std::unique_ptr<T>> all;
    for (const maker_of<T> make : announced<T>()) all.push_back(make());
    return all;
}

/// Their models' names, as people read a list.
template <class T>
std::string model_names(const std::vector<std::unique_ptr<T>>& all) {
    std::string names;
    for (const auto& one : all) names.append(names.empty() ? "" : ", ").append(one->model());
    return names;
}

/// The one of that model. The error says what named it, and what the program does with those that there are.
template <class T>
result<T*> pick_model(const std::vector<std::unique_ptr<T>>& all, std::string_view model, std::string_view option, std::string_view does) {
    for (const auto& one : all)
        if (one->model() == model) return one.get();
    return error{option} << ": '" << model << "' is not known; this program " << does << " " << (all.empty() ? "none" : model_names(all));
}

}  // namespace redoubt::app::inline v1
