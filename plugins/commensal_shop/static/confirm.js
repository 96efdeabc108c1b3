// A mailed link shows a form, since programs that check e-mails follow links too. Where this browser is logged in, or has
// placed the order, its form has this mark and is sent at once; everybody else, and who has no scripts, presses its button.

document.querySelector("form[data-confirms]")?.requestSubmit();
