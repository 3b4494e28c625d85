// SPDX-License-Identifier: MIT
// JSON out of files that are taken as hostile: every field is checked before it is used.
#pragma once

#include <redoubt/base/result.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace redoubt::io::inline REDOUBT_ABI {

/// The fields of one JSON object. The first that is missing or wrong is remembered, with its place; what is read after
/// that counts for nothing. take() and inner() are for fields that may be missing; only_known() then refuses those that nobody has asked for.
class json_fields {
public:
    using json = nlohmann::ordered_json;

    json_fields(const json& node, std::string path, std::optional<error>& wrong)
        : node_{node}, path_{std::move(path)}, wrong_{wrong} {
        if (!node_.is_object())
            complain(path_.empty() ? "the file" : path_, std::string{"must be an object, is "} + node_.type_name());
    }

    bool has(const char* name) const { return node_.is_object() && node_.contains(name); }
    json_fields object(const char* name) const { return {get(name), place(name), wrong_}; }
    std::string text(const char* name) const { return text_of(get(name), place(name)); }
    double number(const char* name, double least, double most) const { return number_of(get(name), place(name), least, most); }
    /// A rate, 0 to 1.
    double rate(const char* name) const { return number(name, 0.0, 1.0); }
    /// A factor, positive.
    double factor(const char* name) const { return number(name, std::numeric_limits<double>::min(), 1e12); }

    std::uint64_t count(const char* name, std::uint64_t most = std::numeric_limits<std::uint64_t>::max()) const { return count_of(get(name), place(name), most); }
    /// A number or null.
    std::optional<double> number_or_null(const char* name, double least, double most) const {
        if (has(name) && get(name).is_null()) return {};
        return number(name, least, most);
    }
    std::vector<std::string> texts(const char* name) const {
        std::vector<std::string> all;
        each(name, [&](const json& value, const std::string& at) { all.push_back(text_of(value, at)); });
        return all;
    }
    std::vector<double> rates(const char* name) const { return numbers(name, 0.0, 1.0); }
    std::vector<double> numbers(const char* name, double least, double most) const {
        std::vector<double> all;
        each(name, [&](const json& value, const std::string& at) { all.push_back(number_of(value, at, least, most)); });
        return all;
    }
    /// Calls read(numbers) for each list of whole numbers in a list.
    std::vector<std::uint64_t> counts(const char* name, std::uint64_t most) const {
        std::vector<std::uint64_t> all;
        each(name, [&](const json& value, const std::string& at) { all.push_back(count_of(value, at, most)); });
        return all;
    }
    template <class Read>
    void lists(const char* name, Read read, std::uint64_t most) const {
        each(name, [&](const json& value, const std::string& at) {
            std::vector<std::uint64_t> numbers;
            each_of(value, at, [&](const json& number, const std::string& place_of) { numbers.push_back(count_of(number, place_of, most)); });
            read(numbers);
        });
    }
    bool flag(const char* name) const {
        const json& value = get(name);
        if (value.is_boolean()) return value.get<bool>();
        complain(place(name), std::string{"must be true or false, is "} + value.type_name());
        return false;
    }
    /// Calls read(fields) for each object of a list.
    template <class Read>
    void objects(const char* name, Read read) const {
        each(name, [&](const json& value, const std::string& at) { read(json_fields{value, at, wrong_}); });
    }
    /// Replaces `to` by a field, where there is one.
    template <class T>
    void take(const char* name, T& to) {
        known_.emplace_back(name);
        if (!has(name)) return;
        if constexpr (std::is_same_v<T, bool>) to = flag(name);
        else if constexpr (std::is_integral_v<T>) to = static_cast<T>(count(name, static_cast<std::uint64_t>(std::numeric_limits<T>::max())));
        else if constexpr (std::is_floating_point_v<T>) to = static_cast<T>(number(name, static_cast<double>(std::numeric_limits<T>::lowest()), static_cast<double>(std::numeric_limits<T>::max())));
        else if constexpr (std::is_same_v<T, std::string>) to = text(name);
        else {
            static_assert(std::is_same_v<T, std::vector<std::uint64_t>>);
            to.clear();
            each(name, [&](const json& value, const std::string& at) { to.push_back(count_of(value, at, std::numeric_limits<std::uint64_t>::max())); });
        }
    }
    /// The same for one of some words, the number of which `to` becomes.
    template <class Enum, std::size_t Count>
    void take(const char* name, Enum& to, const std::string_view (&words)[Count]) {
        std::string word, all;
        take(name, word);
        if (!has(name) || wrong_) return;
        for (std::size_t i = 0; i < Count; ++i) {
            if (word == words[i]) return void(to = static_cast<Enum>(i));
            all.append(i == 0 ? "" : ", ").append(words[i]);
        }
        complain(place(name), "'" + word + "' is none of " + all);
    }
    /// An object within; an empty one where there is none.
    json_fields inner(const char* name) {
        known_.emplace_back(name);
        static const json none = json::object();
        return {has(name) ? node_.at(name) : none, place(name), wrong_};
    }
    /// Remembers that a field breaks a rule.
    void check(bool holds, const char* name, std::string_view needs) const {
        if (!holds) complain(place(name), "must be " + std::string{needs});
    }
    /// Refuses fields that were not asked for by take() or inner().
    void only_known() const {
        if (!node_.is_object()) return;
        for (const auto& [name, value] : node_.items()) {
            if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
            std::string all;
            for (const std::string& k : known_) all.append(all.empty() ? "" : ", ").append(k);
            return complain(place(name.c_str()), "is not known; there is " + all);
        }
    }
    /// Remembers that this object is wrong.
    void refuse(const std::string& why) const { complain(path_, why); }

private:
    static std::string kind_of(const json& value) {
        return value.is_number() ? ", is " + value.dump() : std::string{", is "} + value.type_name();
    }
    std::string place(const char* name) const { return path_.empty() ? name : path_ + "." + name; }
    void complain(const std::string& where, const std::string& what) const {
        if (!wrong_) wrong_ = error{where} << ": " << what;
    }
    const json& get(const char* name) const {
        static const json nothing;
        if (has(name)) return node_.at(name);
        complain(place(name), "is missing");
        return nothing;
    }
    std::string text_of(const json& value, const std::string& at) const {
        if (value.is_string()) return value.get<std::string>();
        complain(at, std::string{"must be a string, is "} + value.type_name());
        return {};
    }
    std::uint64_t count_of(const json& value, const std::string& at, std::uint64_t most) const {
        const bool whole = value.is_number_unsigned() || (value.is_number_integer() && value.get<std::int64_t>() >= 0);
        if (whole && value.get<std::uint64_t>() <= most) return value.get<std::uint64_t>();
        const bool limited = most != std::numeric_limits<std::uint64_t>::max();
        complain(at, "must be a whole number from 0" + (limited ? " to " + std::to_string(most) : "") + kind_of(value));
        return 0;
    }
    double number_of(const json& value, const std::string& at, double least, double most) const {
        if (!value.is_number()) {
            complain(at, std::string{"must be a number, is "} + value.type_name());
            return least;
        }
        const double number = value.get<double>();
        if (number >= least && number <= most) return number;
        const bool finite = std::isfinite(number);
        complain(at, finite ? "lies outside its range, is " + value.dump() : "is NaN or infinite");
        return least;
    }
    template <class Read>
    void each(const char* name, Read read) const { each_of(get(name), place(name), read); }
    template <class Read>
    void each_of(const json& list, const std::string& at, Read read) const {
        if (!list.is_array()) return complain(at, std::string{"must be a list, is "} + list.type_name());
        for (std::size_t i = 0; i < list.size() && !wrong_; ++i) read(list[i], at + "[" + std::to_string(i) + "]");
    }

    const json& node_;
    std::string path_;
    std::vector<std::string> known_;
    std::optional<error>& wrong_;
};

}  // namespace redoubt::io::inline REDOUBT_ABI
