-- The world that macros' Lua code lives in: what is native is made to look and fail as rpm's own functions do.
local native = ...
local error, load_any, select, setmetatable, tostring, type =
    error, load, select, setmetatable, tostring, type
local concat, pack, unpack = table.concat, table.pack, table.unpack
local io_open, io_stdout = io.open, io.stdout

-- Native functions give false and a message where they fail: a message gets the place of the caller.
local function guarded(call)
    return function(...)
        local results = pack(call(...))
        if results[1] then
            return unpack(results, 2, results.n)
        end
        error(results[2], 2)
    end
end

local function library(functions)
    local result = {}
    for name, call in pairs(functions) do
        result[name] = guarded(call)
    end
    return result
end

rpm = library(native.rpm())
local local_path, may = guarded(native.local_path), guarded(native.may)

-- Few macros need `posix`: it is made for the first that asks for it.
local function new_posix()
    local posix = library(native.posix())
    local new_file = posix.mkstemp
    function posix.mkstemp(template)
        local path, message, code = new_file(template)
        if not path then
            return nil, message, code
        end
        return io_open(local_path(path), "r+"), path
    end
    function posix.files(path)
        local names, message, code = posix.dir(path)
        if not names then
            return nil, message, code
        end
        local at = 0
        return function()
            at = at + 1
            return names[at]
        end
    end
    return posix
end

setmetatable(_G, {
    __index = function(globals, name)
        if name == "posix" then
            globals.posix = new_posix()
            return globals.posix
        end
    end,
})

local hooks = {}

function rpm.register(name, call)
    if type(name) ~= "string" then
        error("bad argument #1 to 'register' (string expected, got " .. type(name) .. ")", 2)
    elseif type(call) ~= "function" then
        error("bad argument #2 to 'register' (function expected, got " .. type(call) .. ")", 2)
    end
    hooks[name] = hooks[name] or {}
    table.insert(hooks[name], call)
    return call
end

function rpm.unregister(name, call)
    for at, known in ipairs(hooks[name] or {}) do
        if known == call then
            table.remove(hooks[name], at)
            return
        end
    end
end

function rpm.call(name, ...)
    for _, call in ipairs(hooks[name] or {}) do
        call({ ... })
    end
end

macros = setmetatable({}, {
    __index = function(_, name)
        local results = pack(native.macro(name))
        if not results[1] then
            error(results[2], 2)
        elseif results[2] ~= true then
            return results[2]
        end
        return function(...)
            local called = pack(native.call(name, ...))
            if not called[1] then
                error(called[2], 2)
            end
            return called[2]
        end
    end,
    __newindex = function(_, name, value)
        local results = pack(native.set_macro(name, value))
        if not results[1] then
            error(results[2], 2)
        end
    end,
})

function print(...)
    local words = {}
    for at = 1, select("#", ...) do
        words[at] = tostring((select(at, ...)))
    end
    native.print(concat(words, "\t"))
end

-- Whoever has used up what there is can't go on by catching the error.
local function is_final(failure)
    return native.exceeded() or native.error_text(failure) == "not enough memory"
end
local function caught(is_done, failure, ...)
    if not is_done and is_final(failure) then
        error(failure, 0)
    end
    return is_done, failure, ...
end
local resume, pcall_any, xpcall_any = coroutine.resume, pcall, xpcall
pcall = function(...)
    return caught(pcall_any(...))
end
xpcall = function(...)
    return caught(xpcall_any(...))
end
coroutine.resume = function(...)
    return caught(resume(...))
end

os.exit = function()
    error("exit not permitted in this context", 2)
end
os.getenv = guarded(native.getenv)

-- Code is text: what Lua compiled before is not checked, and could do anything.
local function load_text(code, name, ...)
    if select("#", ...) == 0 then
        return load_any(code, name, "t")
    end
    return load_any(code, name, "t", (...))
end
load = function(code, name, _, ...)
    return load_text(code, name, ...)
end
loadfile = function(path, _, ...)
    local file, message = io.open(path, "rb")
    if not file then
        return nil, "cannot open " .. message
    end
    local code = file:read("a")
    file:close()
    return load_text((code:gsub("^#[^\n]*", "")), "@" .. path, ...)
end
dofile = function(path)
    local chunk, message = loadfile(path)
    if not chunk then
        error(message, 0)
    end
    return chunk()
end
package.path = native.path
package.cpath = ""
for at = #package.searchers, 3, -1 do
    table.remove(package.searchers, at)
end

local function refuse(holder, prefix, name)
    local original = holder[name]
    holder[name] = function(...)
        if may(prefix .. name, tostring((...))) then
            return original(...)
        end
        return nil, "not allowed here", 1
    end
end

for _, name in ipairs { "execute", "remove", "rename", "tmpname" } do
    refuse(os, "os.", name)
end
for _, name in ipairs { "popen", "tmpfile" } do
    refuse(io, "io.", name)
end

-- What time it is, and what chance gives, is another thing at every reading.
local function noting(holder, name, is_unknowable)
    local original = holder[name]
    holder[name] = function(...)
        if is_unknowable(...) then
            native.note_effect()
        end
        return original(...)
    end
end
noting(os, "clock", function() return true end)
noting(os, "date", function(_, time) return time == nil end)
noting(os, "time", function(date) return date == nil end)
noting(math, "random", function() return true end)

io.open = function(path, mode)
    if type(path) ~= "string" then
        return io_open(path, mode)
    end
    if mode and mode ~= "r" and mode ~= "rb" and not may("io.open", path) then
        return nil, "not allowed here", 1
    end
    return io_open(local_path(path), mode)
end

local function opened(name)
    local original = io[name]
    io[name] = function(path, ...)
        if type(path) == "string" then
            if name == "output" and not may("io.output", path) then
                return nil, "not allowed here", 1
            end
            path = local_path(path)
        end
        return original(path, ...)
    end
end

opened("input")
opened("lines")
opened("output")

-- Runs code with its values; `name` is what it is called in messages.
return function(code, name, ...)
    local chunk, message = load_any(code, name, "t")
    if not chunk then
        return "syntax", message
    end
    local results = pack(pcall_any(chunk, ...))
    io_stdout:flush()
    if results[1] then
        local words = {}
        for at = 2, results.n do
            words[at - 1] = tostring(results[at])
        end
        return "done", concat(words, "\t")
    end
    local failure = native.exceeded() or native.error_text(results[2])
    if type(failure) ~= "string" and type(failure) ~= "number" then
        failure = "(null)"
    end
    return "failed", tostring(failure)
end
