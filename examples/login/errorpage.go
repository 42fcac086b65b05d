package main

import "net/http"

// errorPages makes a page of each answer that is an error.
func errorPages(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(&errorPage{ResponseWriter: w}, r)
	})
}

// An errorPage replaces what is written after the header of an error.
type errorPage struct {
	http.ResponseWriter
	replaced bool
}

func (w *errorPage) WriteHeader(status int) {
	if w.replaced = status >= 400; !w.replaced {
		w.ResponseWriter.WriteHeader(status)
		return
	}
	w.Header().Del("Content-Length")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.ResponseWriter.WriteHeader(status)
	words, ok := errorWords[status]
	if !ok {
		words = errorWords[http.StatusServiceUnavailable]
	}
	render(w.ResponseWriter, "error", words)
}

func (w *errorPage) Write(b []byte) (int, error) {
	if w.replaced {
		return len(b), nil
	}
	return w.ResponseWriter.Write(b)
}

// errorWords are the title and the text of each page.
var errorWords = map[int][2]string{
	http.StatusBadRequest:            {"Something is missing", "Part of the form was lost on its way. Please try again."},
	http.StatusForbidden:             {"Form not accepted", "This form did not come from our site."},
	http.StatusNotFound:              {"Page not found", "There is no page at this address."},
	http.StatusMethodNotAllowed:      {"Page not found", "There is no page at this address."},
	http.StatusRequestEntityTooLarge: {"Form too large", "Please enter less."},
	http.StatusServiceUnavailable:    {"Something went wrong", "We are not sure that this worked. Go back and check before you try again."},
}
