// SPDX-License-Identifier: MIT
// An object of a JSON file whose every key must be known.
#pragma once

#include <redoubt/base/result.hpp>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace redoubt::app::inline REDOUBT_ABI {

/// Hands out members of an object by key and keeps the first thing that is wrong: a value of another kind, a key that nobody has asked for.
class json_object {
public:
    json_object(const nlohmann::ordered_json& of, std::string name) : of_{of}, name_{std::move(name)} {
        if (!of_.is_object()) wrong_ = "'" + name_ + "' is no object";
    }

    bool has(std::string_view key) const { return of_.is_object() && of_.contains(key); }
    /// Replaces `to` where there is such a key.
    template <class T>
    void take(const char* key, T& to) {
        known_.emplace_back(key);
        if (!has(key)) return;
        const nlohmann::ordered_json& v = of_.at(key);
        if constexpr (std::is_same_v<T, bool>) {
            if (v.is_boolean()) return void(to = v.get<bool>());
            complain(key, v, "true or false");
        } else if constexpr (std::is_integral_v<T>) {
            if (v.is_number_unsigned() && v.get<std::uint64_t>() <= static_cast<std::uint64_t>(std::numeric_limits<T>::max())) return void(to = v.get<T>());
            complain(key, v, "a whole number that fits, not negative");
        } else if constexpr (std::is_floating_point_v<T>) {
            if (v.is_number()) return void(to = v.get<T>());
            complain(key, v, "a number");
        } else if constexpr (std::is_same_v<T, std::string>) {
            if (v.is_string()) return void(to = v.get<std::string>());
            complain(key, v, "text");
        } else {
            bool whole = v.is_array();
            for (const auto& one : v) whole = whole && one.is_number_unsigned();
            if (whole) return void(to = v.get<T>());
            complain(key, v, "a list of whole numbers, not negative");
        }
    }
    /// The same for one of some words, the number of which `to` becomes.
    template <class Enum, std::size_t Count>
    void take(const char* key, Enum& to, const std::string_view (&words)[Count]) {
        std::string word;
        take(key, word);
        if (!has(key) || !of_.at(key).is_string()) return;
        std::string all;
        for (std::size_t i = 0; i < Count; ++i) {
            if (word == words[i]) return void(to = static_cast<Enum>(i));
            all.append(i == 0 ? "" : ", ").append(words[i]);
        }
        note("'" + path(key) + "' is '" + word + "', none of " + all);
    }
    /// An object within; empty where there is none.
    json_object inner(const char* key) {
        known_.emplace_back(key);
        static const nlohmann::ordered_json none = nlohmann::ordered_json::object();
        return {has(key) ? of_.at(key) : none, path(key)};
    }
    /// Whether a rule holds; `needs` says what the value must be.
    void check(bool holds, const char* key, std::string_view needs) {
        if (!holds) note("'" + path(key) + "' must be " + std::string{needs});
    }

    /// What is wrong first, if anything is.
    result<void> done() {
        if (wrong_.empty())
            for (const auto& [key, value] : of_.items()) {
                bool known = false;
                for (const std::string& k : known_) known = known || k == key;
                if (known) continue;
                std::string all;
                for (const std::string& k : known_) all.append(all.empty() ? "" : ", ").append(k);
                wrong_ = "'" + path(key) + "' is not known; there is " + all;
                break;
            }
        return wrong_.empty() ? result<void>{} : result<void>{error{wrong_}};
    }

private:
    std::string path(std::string_view key) const { return name_.empty() ? std::string{key} : name_ + "." + std::string{key}; }
    void note(std::string what) {
        if (wrong_.empty()) wrong_ = std::move(what);
    }
    void complain(const char* key, const nlohmann::ordered_json& v, const char* needs) { note("'" + path(key) + "' holds " + v.dump() + ", which is not " + needs); }

    const nlohmann::ordered_json& of_;
    std::string name_, wrong_;
    std::vector<std::string> known_;
};

}  // namespace redoubt::app::inline REDOUBT_ABI
